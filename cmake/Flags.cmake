# One interface target carries every flag of ours; each library and test links it.
add_library(cistern_flags INTERFACE)
target_include_directories(cistern_flags INTERFACE ${PROJECT_SOURCE_DIR})
# -Wno-restrict: GCC 12 warns of `text = "a"` by mistake (its bug 105329).
target_compile_options(cistern_flags INTERFACE
  -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict> -Werror
  -fno-omit-frame-pointer)

if(CISTERN_SANITIZE)
  # -Wno-maybe-uninitialized: with a sanitizer's checks in between, GCC 12 no longer sees that a
  # tl::expected which holds a value has no error to be moved.
  # Clang (the fuzzers) leaves out what ASan finds, too: a fifth of the time to compile.
  target_compile_options(cistern_flags INTERFACE
    -fsanitize=${CISTERN_SANITIZE} -fno-sanitize-recover=all
    $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>
    $<$<CXX_COMPILER_ID:Clang>:-fno-sanitize=alignment,null,object-size,vptr>)
  target_link_options(cistern_flags INTERFACE -fsanitize=${CISTERN_SANITIZE})
endif()

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()
