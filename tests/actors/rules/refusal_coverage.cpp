// The main function of the rules' tests. When all tests have run, every refusal must have occurred.
#define DOCTEST_CONFIG_IMPLEMENT
#include "tests/actors/rules/refusal_coverage.hpp"

#include <doctest/doctest.h>

#include <iostream>

#include "actors/rules/execution.hpp"
#include "actors/rules/genesis_state.hpp"
#include "actors/rules/refusal.hpp"
#include "actors/rules/targets.hpp"

namespace soma::test {
namespace {

/// For reasons that are numbered from 0 without a gap. The first number without a text ends them.
template <class Reason>
bool each_met(std::ostream& out, const char* kind) {
  bool all = true;
  for (int number = 0; rules::to_text(static_cast<Reason>(number)) != "unknown"; ++number) {
    if (met_reasons<Reason>().contains(static_cast<Reason>(number))) continue;
    out << "no test is refused with " << kind << ' ' << number << " ("
        << rules::to_text(static_cast<Reason>(number)) << ")\n";
    all = false;
  }
  return all;
}

}  // namespace

bool all_reasons_met(std::ostream& out) {
  bool all = true;
  for (const auto reason : rules::all_refusals) {
    if (met_reasons<rules::refusal>().contains(reason)) continue;
    out << "no test is refused with " << rules::name_of(reason) << " (" << rules::to_text(reason)
        << ")\n";
    all = false;
  }
  const bool blocks = each_met<rules::block_refusal>(out, "block_refusal");
  const bool draws = each_met<rules::draw_refusal>(out, "draw_refusal");
  const bool births = each_met<rules::genesis_refusal>(out, "genesis_refusal");
  return all && blocks && draws && births;
}

}  // namespace soma::test

int main(int argc, char** argv) {
  const int failed = doctest::Context(argc, argv).run();
  if (argc > 1) return failed;  // only some tests were run, so only some reasons occurred
  return soma::test::all_reasons_met(std::cerr) ? failed : 1;
}
