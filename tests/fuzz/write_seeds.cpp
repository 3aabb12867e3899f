// soma_fuzz_seeds FOLDER: the seeds of every target as files, FOLDER/<target>/<name>.
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "tests/fuzz/harness.hpp"

int main(int count, char** arguments) {
  if (count != 2) {
    std::fprintf(stderr, "usage: %s FOLDER\n", arguments[0]);
    return 2;
  }
  for (const auto& target : soma::fuzz::targets) {
    const auto folder = std::filesystem::path(arguments[1]) / target.name;
    std::filesystem::create_directories(folder);
    for (const auto& [name, content] : target.seeds()) {
      std::ofstream file(folder / name, std::ios::binary | std::ios::trunc);
      file.write(reinterpret_cast<const char*>(content.data()),
                 static_cast<std::streamsize>(content.size()));
      if (!file.flush()) {
        std::fprintf(stderr, "%s cannot be written\n", (folder / name).c_str());
        return 1;
      }
    }
  }
  return 0;
}
