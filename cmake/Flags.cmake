# One interface target carries every flag of ours; each library and test links it.
add_library(cistern_flags INTERFACE)
target_include_directories(cistern_flags INTERFACE ${PROJECT_SOURCE_DIR})
# -Wno-restrict: GCC 12 warns of `text = "a"` by mistake (its bug 105329).
target_compile_options(cistern_flags INTERFACE
  -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict> -Werror
  -fno-omit-frame-pointer)

if(CISTERN_SANITIZE)
  # Without the warnings that follow values: with a sanitizer's checks in between, GCC 12 no longer
  # sees that a tl::expected which holds a value has no error to be moved, nor that a long string
  # does not lie in itself.
  # What ASan finds, too, and x86 does not mind is left out: a quarter of the time to compile.
  target_compile_options(cistern_flags INTERFACE
    -fsanitize=${CISTERN_SANITIZE} -fno-sanitize-recover=all
    $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized;-Wno-array-bounds;-Wno-stringop-overflow>
    -fno-sanitize=alignment,null,object-size,vptr)
  target_link_options(cistern_flags INTERFACE -fsanitize=${CISTERN_SANITIZE})
endif()

find_program(CCACHE ccache)
if(CCACHE)
  # What makes it trust precompiled headers, which only builds with sanitizers have.
  set(CMAKE_CXX_COMPILER_LAUNCHER
    ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros ${CCACHE})
endif()
