# cistern_library(NAME SOURCES a.cc ... LINKS other ...)
# One library a folder. LINKS is exactly the folder's permitted arrows and its outside libraries.
function(cistern_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINKS" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name} PUBLIC cistern_flags ${ARG_LINKS})
endfunction()

# cistern_test(NAME SOURCES a_test.cc ... LINKS library)
# One GoogleTest program a folder; it links only the library it tests.
function(cistern_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINKS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_LINKS} cistern_flags GTest::gmock_main)
  gtest_discover_tests(${name} DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT 120)
endfunction()
