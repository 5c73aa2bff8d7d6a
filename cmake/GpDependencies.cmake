# Finds what gp-dist stands on, as a cluster's modules (CMAKE_PREFIX_PATH, PKG_CONFIG_PATH, wrappers on
# PATH) or Debian's packages provide it. Imported targets only: MPI::MPI_C, gp::hdf5, gp::htslib, gp::jansson,
# gp::lapack, gp::scalapack, gp::elpa and gp::onednn (may be missing), OpenMP::OpenMP_C, Threads::Threads, gp::cmocka.
find_package(PkgConfig REQUIRED)
find_package(MPI REQUIRED COMPONENTS C)
find_package(OpenMP REQUIRED COMPONENTS C)
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)

# Parallel HDF5 wins where a serial one is installed too.
set(HDF5_PREFER_PARALLEL ON)
find_package(HDF5 REQUIRED COMPONENTS C)
if(NOT HDF5_IS_PARALLEL)
  message(FATAL_ERROR "HDF5 ${HDF5_VERSION} was built without MPI. Load the parallel HDF5 module, or "
                      "install libhdf5-openmpi-dev, or point HDF5_ROOT at a parallel build.")
endif()
add_library(gp::hdf5 INTERFACE IMPORTED)
# Its header includes mpi.h; nothing of MPI is called or linked for it.
target_include_directories(gp::hdf5 SYSTEM INTERFACE ${HDF5_C_INCLUDE_DIRS} ${MPI_C_INCLUDE_DIRS})
target_compile_definitions(gp::hdf5 INTERFACE ${HDF5_C_DEFINITIONS})
target_link_libraries(gp::hdf5 INTERFACE ${HDF5_C_LIBRARIES})

pkg_check_modules(HTSLIB REQUIRED IMPORTED_TARGET htslib>=1.13)
add_library(gp::htslib ALIAS PkgConfig::HTSLIB)

pkg_check_modules(JANSSON IMPORTED_TARGET jansson>=2.8)
if(NOT JANSSON_FOUND)
  message(FATAL_ERROR "jansson (2.8 or newer, a library for JSON) was not found by pkg-config. Load its module, or "
                      "install libjansson-dev, or point PKG_CONFIG_PATH at the folder of its jansson.pc.")
endif()
add_library(gp::jansson ALIAS PkgConfig::JANSSON)

# OpenBLAS carries LAPACK; its 64-bit-integer builds are not used.
pkg_check_modules(OPENBLAS IMPORTED_TARGET openblas)
if(OPENBLAS_FOUND)
  add_library(gp::lapack ALIAS PkgConfig::OPENBLAS)
else()
  find_package(LAPACK REQUIRED)
  add_library(gp::lapack ALIAS LAPACK::LAPACK)
endif()

# ScaLAPACK has no CMake config that every site ships: Debian and Spack have pkg-config files.
pkg_search_module(SCALAPACK IMPORTED_TARGET scalapack-openmpi scalapack)
if(SCALAPACK_FOUND)
  add_library(gp::scalapack ALIAS PkgConfig::SCALAPACK)
else()
  find_library(SCALAPACK_LIBRARY NAMES scalapack scalapack-openmpi)
  if(NOT SCALAPACK_LIBRARY)
    message(FATAL_ERROR "ScaLAPACK was not found. Load its module, install libscalapack-openmpi-dev, or set "
                        "-DSCALAPACK_LIBRARY=/path/to/libscalapack.so")
  endif()
  add_library(gp::scalapack UNKNOWN IMPORTED)
  set_target_properties(gp::scalapack PROPERTIES IMPORTED_LOCATION ${SCALAPACK_LIBRARY})
endif()

# ELPA's eigensolver is faster than ScaLAPACK's where it was built for the machine. A distribution's package
# has generic kernels only, and is slower: it is used where it is asked for.
set(GP_EIGENSOLVER AUTO CACHE STRING "ELPA, SCALAPACK, or AUTO: ELPA where pkg-config finds one outside /usr")
if(NOT GP_EIGENSOLVER STREQUAL "SCALAPACK")
  pkg_search_module(ELPA QUIET IMPORTED_TARGET elpa elpa_openmp)
  if(ELPA_FOUND AND (GP_EIGENSOLVER STREQUAL "ELPA" OR NOT ELPA_INCLUDE_DIRS MATCHES "^/usr/include"))
    add_library(gp::elpa ALIAS PkgConfig::ELPA)
  elseif(GP_EIGENSOLVER STREQUAL "ELPA")
    message(FATAL_ERROR "ELPA was not found by pkg-config. Load its module, or leave -DGP_EIGENSOLVER=AUTO.")
  endif()
endif()

# oneDNN multiplies matrices in bfloat16 where the CPU can; without it the network has float32 only.
set(GP_ONEDNN AUTO CACHE STRING "ON, OFF, or AUTO: oneDNN 2 where it is found")
if(NOT GP_ONEDNN STREQUAL "OFF")
  find_path(ONEDNN_INCLUDE_DIR oneapi/dnnl/dnnl_version.h)
  find_library(ONEDNN_LIBRARY dnnl)
  if(ONEDNN_INCLUDE_DIR AND ONEDNN_LIBRARY)
    file(STRINGS ${ONEDNN_INCLUDE_DIR}/oneapi/dnnl/dnnl_version.h ONEDNN_IS_2 REGEX "DNNL_VERSION_MAJOR 2$")
  endif()
  if(ONEDNN_IS_2)
    add_library(gp::onednn UNKNOWN IMPORTED)
    set_target_properties(gp::onednn PROPERTIES IMPORTED_LOCATION ${ONEDNN_LIBRARY}
                                                INTERFACE_INCLUDE_DIRECTORIES ${ONEDNN_INCLUDE_DIR})
  elseif(GP_ONEDNN STREQUAL "ON")
    message(FATAL_ERROR "oneDNN 2 was not found. Load its module, install libdnnl-dev, point CMAKE_PREFIX_PATH at it, "
                        "or leave -DGP_ONEDNN=AUTO.")
  endif()
endif()

if(GP_TESTS)
  pkg_check_modules(CMOCKA REQUIRED IMPORTED_TARGET cmocka)
  add_library(gp::cmocka ALIAS PkgConfig::CMOCKA)
endif()
