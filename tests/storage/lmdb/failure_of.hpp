#pragma once

#include <string>

#include "storage/lmdb/failure.hpp"

namespace soma::test {

/// Runs `act` and returns the name of the failure with which it ends, or "none".
template <class Act>
std::string failure_of(Act&& act) {
  try {
    act();
  } catch (const lmdb::failure& why) {
    return std::string(to_text(why.code()));
  }
  return "none";
}

}  // namespace soma::test
