# Writes the source OUTPUT, which holds the commit of the tree SOURCE. It runs in every build, and the file changes only if
# the commit does, so that only then something is compiled again. A tree without git has no commit.
execute_process(COMMAND git -C ${SOURCE} describe --always --dirty --abbrev=10 --exclude=* OUTPUT_VARIABLE commit
                OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE status)
if(NOT status EQUAL 0)
  set(commit "")
endif()
file(CONFIGURE OUTPUT ${OUTPUT} CONTENT [[#include "deploy/soma/commit.hpp"

namespace soma::cli {

std::string_view commit() {
  return "@commit@";
}

}  // namespace soma::cli
]] @ONLY)
