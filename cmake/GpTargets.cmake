# gp_options: warnings and floating-point rules for every target of the project, and for nothing else.
add_library(gp_options INTERFACE)
target_compile_options(gp_options INTERFACE
  -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wcast-qual
  -Wformat=2 -Wvla -fno-math-errno
  # One rounding per written operation: the same bytes whether or not a CPU has fused multiply-add.
  -ffp-contract=off
  $<$<CONFIG:Release>:-O3>
  $<$<BOOL:${GP_WERROR}>:-Werror>)
target_compile_definitions(gp_options INTERFACE _POSIX_C_SOURCE=200809L _DEFAULT_SOURCE _FILE_OFFSET_BITS=64)
target_include_directories(gp_options INTERFACE ${PROJECT_SOURCE_DIR})
if(GP_SANITIZE)
  target_compile_options(gp_options INTERFACE -fsanitize=${GP_SANITIZE} -fno-sanitize-recover=all
                                               -fno-omit-frame-pointer -g)
  target_link_options(gp_options INTERFACE -fsanitize=${GP_SANITIZE})
endif()

# gp_room(NAME SOURCES... ): one static library per room.
function(gp_room name)
  add_library(${name} STATIC ${ARGN})
  target_link_libraries(${name} PUBLIC gp_options)
endfunction()
