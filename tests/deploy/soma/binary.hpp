// The real `soma`, in a home of its own.
#pragma once

#include <unistd.h>

#include <string>
#include <string_view>
#include <vector>

#include "tests/support/json_reader.hpp"
#include "tests/support/program.hpp"

namespace soma::support {

class soma_user {
 public:
  [[nodiscard]] const scratch_folder& folder() const { return folder_; }
  [[nodiscard]] std::string at(const std::string& name) const { return (folder_ / name).string(); }
  [[nodiscard]] static std::vector<std::string> command(std::vector<std::string> words) {
    words.insert(words.begin(), SOMA_BINARY);
    return words;
  }
  [[nodiscard]] finished_program run(std::vector<std::string> words) const {
    return run_program(folder_.path(), command(std::move(words)), std::chrono::seconds(120));
  }

 private:
  scratch_folder folder_;
};

/// The command as a user runs it who may not read what permissions forbid. root may, unless it
/// gives that up.
[[nodiscard]] inline std::vector<std::string> bound_by_permissions(std::vector<std::string> words) {
  if (::geteuid() == 0) {
    words.insert(words.begin(),
                 {"/usr/bin/setpriv", "--bounding-set", "-dac_override,-dac_read_search"});
  }
  return words;
}

[[nodiscard]] inline bool says(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

/// One line, newline included.
[[nodiscard]] inline bool is_one_line(const std::string& text) {
  return text.size() > 1 && text.find('\n') == text.size() - 1;
}

}  // namespace soma::support
