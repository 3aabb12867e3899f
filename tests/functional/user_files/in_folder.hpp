// Commands as a user types them in the user's folder, and a wait for what they bring about.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "tests/deploy/soma/binary.hpp"

namespace soma::support {

/// The command as it is typed in the user's folder.
[[nodiscard]] inline std::vector<std::string> typed(const soma_user& user,
                                                    std::vector<std::string> words) {
  words = soma_user::command(std::move(words));
  words.insert(words.begin(), {"/usr/bin/env", "-C", user.folder().path().string()});
  return words;
}

[[nodiscard]] inline finished_program run_there(const soma_user& user,
                                                std::vector<std::string> words) {
  return run_program(user.folder().path(), typed(user, std::move(words)),
                     std::chrono::seconds(300));
}

/// A line of bash in the user's folder.
[[nodiscard]] inline finished_program shell(const soma_user& user, const std::string& line) {
  return run_program(user.folder().path(),
                     {"/bin/bash", "-c", "cd " + user.folder().path().string() + "; " + line},
                     std::chrono::seconds(100));
}

/// True as soon as `met` is true; false when it is not within a minute.
[[nodiscard]] inline bool comes_true(const std::function<bool()>& met) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!met()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return true;
}

}  // namespace soma::support
