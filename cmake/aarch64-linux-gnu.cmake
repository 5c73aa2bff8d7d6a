# Toolchain: builds gp-dist for arm64 on another Linux machine, with Debian's cross compiler, against the arm64
# libraries in a folder. Tests run in QEMU's user mode.
#
#   cmake -S . -B build-arm64 -DCMAKE_TOOLCHAIN_FILE=cmake/aarch64-linux-gnu.cmake -DGP_ARM64_ROOT=/path/to/root
#
# GP_ARM64_ROOT is the root of an arm64 Debian, or what its packages hold, unpacked; tests/arm64.sh makes one.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
if(NOT GP_ARM64_ROOT)
  message(FATAL_ERROR "Say where the arm64 libraries are: -DGP_ARM64_ROOT=/path/to/root")
endif()
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES GP_ARM64_ROOT)
set(CMAKE_SYSROOT ${GP_ARM64_ROOT})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)

# Where Debian's update-alternatives would have put links, an unpacked root has none: these folders are named.
set(arm64_lib ${GP_ARM64_ROOT}/usr/lib/aarch64-linux-gnu)
set(arm64_mpi ${arm64_lib}/openmpi/lib)
set(arm64_blas ${arm64_lib}/openblas-pthread)
set(ENV{PKG_CONFIG_LIBDIR} ${arm64_lib}/pkgconfig:${arm64_blas}/pkgconfig)
set(ENV{PKG_CONFIG_SYSROOT_DIR} ${GP_ARM64_ROOT})

# The wrappers of MPI and HDF5 are programs of the other machine, and this machine's name its own libraries. So the
# compiler itself knows both, as on a Cray: CMake tries that before it looks for wrappers.
set(CMAKE_C_FLAGS_INIT
  "-isystem ${GP_ARM64_ROOT}/usr/include/hdf5/openmpi -isystem ${arm64_lib}/openmpi/include")
set(CMAKE_EXE_LINKER_FLAGS_INIT "-Wl,--as-needed -L${arm64_mpi} -Wl,-rpath-link,${arm64_mpi}:${arm64_blas}")
set(CMAKE_C_STANDARD_LIBRARIES "-lhdf5_openmpi -lmpi")

set(CMAKE_CROSSCOMPILING_EMULATOR
  qemu-aarch64 -L ${GP_ARM64_ROOT} -E LD_LIBRARY_PATH=${arm64_mpi}:${arm64_blas})
