#include "deploy/soma/shell/failure.hpp"

#include <filesystem>

namespace soma::cli {

std::string one_line(const failure& f) {
  std::string line = "soma: " + f.problem;
  if (!f.why.empty()) line += ": " + f.why;
  if (!f.what_to_do.empty()) line += "; " + f.what_to_do;
  for (auto& c : line) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) c = ' ';
  }
  return line;
}

std::string reason_of(const std::exception& error) {
  const auto* of_file = dynamic_cast<const std::filesystem::filesystem_error*>(&error);
  if (of_file == nullptr) return error.what();
  return of_file->path1().string() + ": " + of_file->code().message();
}

}  // namespace soma::cli
