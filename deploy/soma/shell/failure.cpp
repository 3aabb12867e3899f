#include "deploy/soma/shell/failure.hpp"

#include <cstdlib>
#include <filesystem>

#include "deploy/soma/shell/json.hpp"
#include "deploy/soma/shell/plain_text.hpp"
#include "deploy/soma/shell/start_folder.hpp"

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
  return plain_line(line);
}

std::string json_line(const failure& f) {
  const auto known = [](const std::string& text) {
    return text.empty() ? json() : json(shortened(text));
  };
  auto name = f.name;
  if (name.empty()) {
    name = f.code == exit_code::wrong_usage ? failure_names::wrong_usage : failure_names::failed;
  }
  return json::of({{"error", json::of({{"code", name},
                                       {"exit_code", static_cast<int>(f.code)},
                                       {"problem", known(f.problem)},
                                       {"why", known(f.why)},
                                       {"what_to_do", known(f.what_to_do)}})}})
      .text();
}

bool is_start_folder_gone() {
  std::error_code gone;
  (void)std::filesystem::current_path(gone);
  return bool(gone);
}

std::string reason_of(const std::exception& error) {
  namespace fs = std::filesystem;
  const auto* of_file = dynamic_cast<const fs::filesystem_error*>(&error);
  if (of_file == nullptr) return error.what();
  if (!of_file->path1().is_absolute() && is_start_folder_gone()) return start_folder_gone;
  const auto why = of_file->code().message();
  if (!of_file->path1().empty()) return of_file->path1().string() + ": " + why;
  // Only the question for the folder of temporary files fails without a name.
  const char* chosen = std::getenv("TMPDIR");
  return "the folder for temporary files, " + std::string(chosen == nullptr ? "/tmp" : chosen) +
         ": " + why;
}

}  // namespace soma::cli
