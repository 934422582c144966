# Builds with sanitizers precompile what most sources include: a fifth of their time. Others do
# without, so that each file must include what it uses.
if(CISTERN_SANITIZE AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  function(cistern_precompiled name)  # LINKS other ... HEADERS <header> ...
    cmake_parse_arguments(ARG "" "" "LINKS;HEADERS" ${ARGN})
    file(WRITE ${PROJECT_BINARY_DIR}/${name}.cc "")
    add_library(${name} OBJECT ${PROJECT_BINARY_DIR}/${name}.cc)
    target_link_libraries(${name} PRIVATE cistern_flags ${ARG_LINKS})
    target_compile_options(${name} PRIVATE -fpch-preprocess)
    # As libuv's and hiredis's packages ask for: with other definitions it would not be used.
    target_compile_definitions(${name} PRIVATE _FILE_OFFSET_BITS=64)
    target_precompile_headers(${name} PRIVATE ${ARG_HEADERS})
  endfunction()
  function(cistern_use_precompiled name from)
    target_compile_options(${name} PRIVATE -fpch-preprocess)
    target_compile_definitions(${name} PRIVATE _FILE_OFFSET_BITS=64)
    target_precompile_headers(${name} REUSE_FROM ${from})
  endfunction()
  set(often_included
    <algorithm> <array> <atomic> <chrono> <functional> <map> <memory> <mutex> <optional> <span>
    <string> <string_view> <thread> <tl/expected.hpp> <unordered_map> <variant> <vector>)
  cistern_precompiled(cistern_precompiled_library HEADERS ${often_included})
  cistern_precompiled(cistern_precompiled_test
    LINKS GTest::gmock_main HEADERS ${often_included} <gmock/gmock.h> <gtest/gtest.h>)
else()
  function(cistern_use_precompiled name from)
  endfunction()
endif()

# cistern_library(NAME SOURCES a.cc ... LINKS other ...)
# One library a folder. LINKS is exactly the folder's permitted arrows and its outside libraries.
function(cistern_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINKS" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name} PUBLIC cistern_flags ${ARG_LINKS})
  cistern_use_precompiled(${name} cistern_precompiled_library)
  target_compile_options(${name} PRIVATE ${CISTERN_LIBRARY_OPTIONS})
endfunction()

# cistern_test(NAME SOURCES a_test.cc ... LINKS library)
# One GoogleTest program a folder; it links only the library it tests.
function(cistern_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINKS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_LINKS} cistern_flags GTest::gmock_main)
  cistern_use_precompiled(${name} cistern_precompiled_test)
  target_compile_options(${name} PRIVATE $<$<CONFIG:Release>:-O1>)  # a fifth of the time to compile
  gtest_discover_tests(${name} DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT 120)
endfunction()

# cistern_fuzzer(NAME SOURCES a_fuzz.cc ... LINKS library ...)
# A libFuzzer program, in the preset `fuzz` alone, where all libraries are instrumented.
function(cistern_fuzzer name)
  if(NOT CISTERN_FUZZ)
    return()
  endif()
  cmake_parse_arguments(ARG "" "" "SOURCES;LINKS" ${ARGN})
  add_executable(${name} EXCLUDE_FROM_ALL ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_LINKS} cistern_flags)
  target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/fuzz)
  if(NOT TARGET fuzzers)
    add_custom_target(fuzzers)
  endif()
  add_dependencies(fuzzers ${name})
endfunction()
