#include "deploy/soma/shell/failure.hpp"

#include <filesystem>

namespace soma::cli {

namespace {

/// A text of a refusal, cut at the beginning of a character if it is long: what a person typed or
/// wrote into a file may be a megabyte.
std::string shortened(const std::string& text) {
  constexpr std::size_t most_bytes = 1'000;
  if (text.size() <= most_bytes) return text;
  auto end = most_bytes;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U) --end;
  return text.substr(0, end) + "…";
}

}  // namespace

std::string one_line(const failure& f) {
  std::string line = "soma: " + shortened(f.problem);
  if (!f.why.empty()) line += ": " + shortened(f.why);
  if (!f.what_to_do.empty()) line += "; " + shortened(f.what_to_do);
  for (std::size_t at = 0; at < line.size(); ++at) {
    const auto byte = static_cast<unsigned char>(line[at]);
    const auto next = at + 1 < line.size() ? static_cast<unsigned char>(line[at + 1]) : 0U;
    if (byte < 0x20 || byte == 0x7f) {
      line[at] = ' ';
    } else if (byte == 0xc2 && next >= 0x80 && next < 0xa0) {
      // U+0080 to U+009F: a terminal takes these for control characters, too.
      line.replace(at, 2, " ");
    }
  }
  return line;
}

std::string reason_of(const std::exception& error) {
  const auto* of_file = dynamic_cast<const std::filesystem::filesystem_error*>(&error);
  if (of_file == nullptr) return error.what();
  return of_file->path1().string() + ": " + of_file->code().message();
}

}  // namespace soma::cli
