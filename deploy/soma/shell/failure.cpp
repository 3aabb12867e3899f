#include "deploy/soma/shell/failure.hpp"

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

}  // namespace soma::cli
