# Build helpers. A library declares its dependencies once, and its link test proves that the declaration is complete.

set(SOMA_LAUNCHER "" CACHE STRING "A program that runs each compiler and linker, in place of ccache: see deploy/build-cost")
find_program(SOMA_CCACHE ccache)
if(SOMA_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${SOMA_LAUNCHER})
  set(CMAKE_CXX_LINKER_LAUNCHER ${SOMA_LAUNCHER})
elseif(SOMA_CCACHE)
  # Paths are stored relative to the source tree, so that a source that another build folder compiled before is a hit.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1
      CCACHE_SLOPPINESS=time_macros,include_file_mtime,include_file_ctime ${SOMA_CCACHE})
endif()
find_program(SOMA_MOLD mold)
if(SOMA_MOLD)
  add_link_options(-fuse-ld=mold)
endif()

include(${CMAKE_CURRENT_LIST_DIR}/test_costs.cmake)

# A compiler spends most of its time on the templates of CAF, Cap'n Proto and the standard library, and repeats this for
# each source. So several sources of a target are compiled together as one. -DSOMA_UNITY=OFF compiles each source alone.
# This shows whether every source includes what it uses, and it is faster when only one source changes.
option(SOMA_UNITY "Compile several sources of a target as one" ON)

find_package(Threads REQUIRED)
find_package(CapnProto REQUIRED)
find_package(tl-expected REQUIRED)
find_package(OpenSSL REQUIRED)

# The compiler must not contract a product and a sum into an fma unless the source says fma, so that a source line gives
# the same floating-point result everywhere.
add_compile_options(-ffp-contract=off -fno-omit-frame-pointer)
# Names of files in messages are relative to the source tree: so no path of the machine that built it stands in the program,
# and sources that are compiled together (see SOMA_UNITY) are the same for ccache in every folder.
add_compile_options(-fmacro-prefix-map=${CMAKE_SOURCE_DIR}/=)
if(SOMA_SANITIZE)
  # CAF 0.17 headers bind references through null pointers, so this one check is off.
  add_compile_options(-fsanitize=${SOMA_SANITIZE} -fno-sanitize=null -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${SOMA_SANITIZE})
  if(SOMA_SANITIZE MATCHES thread)
    # The thread sanitizer knows no fences, and the compiler refuses them. Asio's locks are enough for it.
    add_compile_definitions(BOOST_ASIO_DISABLE_FENCED_BLOCK)
  endif()
endif()

set(SOMA_WARNINGS -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Werror
    -Wno-maybe-uninitialized)  # GCC 12 gives false warnings for moved optionals

# soma_unity(TARGET BATCH): compiles up to BATCH sources of the target together. A source with flags of its own is still
# compiled alone.
function(soma_unity target batch)
  if(SOMA_UNITY AND batch GREATER 1)
    # A type without linkage in one source has none in the combined source either, so this warning means nothing here.
    target_compile_options(${target} PRIVATE -Wno-subobject-linkage)
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE ${batch})
  endif()
endfunction()

# soma_library(NAME SOURCES ... DEPENDS ... [PRIVATE ...] [BATCH n]): makes the static library soma_NAME (alias
# soma::NAME) and its link test: the whole archive with every object must link against the declared dependencies alone.
# Up to BATCH sources are compiled as one; the default is 8.
function(soma_library name)
  cmake_parse_arguments(ARG "" "BATCH" "SOURCES;DEPENDS;PRIVATE" ${ARGN})
  if(NOT ARG_BATCH)
    set(ARG_BATCH 8)
  endif()
  if(NOT ARG_SOURCES)  # a library of headers alone has nothing to link, so it has no link test
    add_library(soma_${name} INTERFACE)
    add_library(soma::${name} ALIAS soma_${name})
    target_include_directories(soma_${name} INTERFACE ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR})
    target_link_libraries(soma_${name} INTERFACE ${ARG_DEPENDS})
    return()
  endif()
  add_library(soma_${name} STATIC ${ARG_SOURCES})
  add_library(soma::${name} ALIAS soma_${name})
  target_include_directories(soma_${name} PUBLIC ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR})
  target_compile_options(soma_${name} PRIVATE ${SOMA_WARNINGS})
  soma_unity(soma_${name} ${ARG_BATCH})
  target_link_libraries(soma_${name} PUBLIC ${ARG_DEPENDS} PRIVATE ${ARG_PRIVATE})
  add_executable(link_${name} ${CMAKE_SOURCE_DIR}/tests/lint/link_main.cpp)
  target_link_libraries(link_${name} PRIVATE -Wl,--whole-archive $<TARGET_FILE:soma_${name}> -Wl,--no-whole-archive
                        ${ARG_DEPENDS} ${ARG_PRIVATE})
  add_dependencies(link_${name} soma_${name})
  add_test(NAME link.${name} COMMAND link_${name})
  set_tests_properties(link.${name} PROPERTIES LABELS lint)
endfunction()

# soma_test(NAME SOURCES ... DEPENDS ... [LABELS ...] [TIMEOUT seconds] [MAIN file] [BATCH n]): makes one doctest program
# and registers it with ctest. MAIN is for programs that do more than run their tests. BATCH is as in soma_library, but
# the default is 1, since tests of one folder often give their helpers the same names.
function(soma_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT;MAIN;BATCH" "SOURCES;DEPENDS;LABELS" ${ARGN})
  if(NOT ARG_BATCH)
    set(ARG_BATCH 1)
  endif()
  find_package(doctest REQUIRED)
  if(NOT ARG_MAIN)
    # doctest itself takes eight seconds to compile: once for all programs.
    if(NOT TARGET soma_test_main)
      add_library(soma_test_main OBJECT ${CMAKE_SOURCE_DIR}/tests/main.cpp)
      target_link_libraries(soma_test_main PRIVATE doctest::doctest)
    endif()
    set(ARG_MAIN $<TARGET_OBJECTS:soma_test_main>)
  endif()
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  add_executable(${name}_test ${ARG_MAIN} ${ARG_SOURCES})
  target_include_directories(${name}_test PRIVATE ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR})
  target_compile_options(${name}_test PRIVATE ${SOMA_WARNINGS})
  soma_unity(${name}_test ${ARG_BATCH})
  target_link_libraries(${name}_test PRIVATE ${ARG_DEPENDS} doctest::doctest)
  add_test(NAME ${name} COMMAND ${name}_test)
  set_tests_properties(${name} PROPERTIES TIMEOUT ${ARG_TIMEOUT} LABELS "${ARG_LABELS}")
  soma_test_cost(${name})
endfunction()
