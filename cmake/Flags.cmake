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

# In release the program is optimized as a whole: libraries are compiled for that, too. Tests and
# benches link the same libraries without, which takes a tenth of the time.
if(CMAKE_BUILD_TYPE STREQUAL "Release" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  set(CISTERN_LIBRARY_OPTIONS -flto -ffat-lto-objects)
  set(wants_whole "$<BOOL:$<TARGET_PROPERTY:OPTIMIZED_AS_A_WHOLE>>")
  target_link_options(cistern_flags INTERFACE "$<IF:${wants_whole},-flto=auto,-fno-lto>")
endif()

find_program(CCACHE ccache)
if(CCACHE)
  # What makes it trust precompiled headers, which only builds with sanitizers have.
  set(CMAKE_CXX_COMPILER_LAUNCHER
    ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros ${CCACHE})
endif()
