#include "deploy/soma/failure.hpp"

namespace soma {

std::string one_line(const failure& f) {
  std::string line = "soma: " + f.what;
  if (!f.why.empty()) line += ": " + f.why;
  if (!f.what_to_do.empty()) line += "; " + f.what_to_do;
  for (auto& c : line) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) c = ' ';
  }
  return line;
}

}  // namespace soma
