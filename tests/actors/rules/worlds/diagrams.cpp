#include "tests/actors/rules/worlds/diagrams.hpp"

#include <fstream>
#include <sstream>
#include <stdexcept>

#include "tests/actors/rules/worlds/violation.hpp"

namespace soma::test {
namespace {

constexpr const char* first_lines[] = {"%% the life of a model", "%% the life of a version",
                                       "%% the life of a target"};

std::set<life_step> read_steps() {
  std::ifstream file(SOMA_PROTOCOL_FILE);
  std::set<life_step> steps;
  std::string line;
  for (const auto of : all_lives) {
    const auto before = steps.size();
    file.clear();
    file.seekg(0);
    const std::string wanted = first_lines[static_cast<std::size_t>(of)];
    while (std::getline(file, line) && line.find(wanted) == std::string::npos) {
    }
    while (std::getline(file, line) && !line.starts_with("```")) {
      std::istringstream words(line);
      std::string from, arrow, to;
      words >> from >> arrow >> to;
      if (arrow == "-->") steps.insert({of, from, to});
    }
    if (steps.size() == before) throw std::runtime_error("PROTOCOL.md has no diagram: " + wanted);
  }
  return steps;
}

}  // namespace

const std::set<life_step>& drawn_steps() {
  static const auto steps = read_steps();
  return steps;
}

void taken_steps::take(life of, std::string from, std::string to) {
  const life_step step{of, std::move(from), std::move(to)};
  must(drawn_steps().contains(step), "only steps of the protocol's diagrams happen",
       [&] { return step.from + " to " + step.to; });
  taken_.insert(step);
}

}  // namespace soma::test
