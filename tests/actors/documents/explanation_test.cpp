#include "actors/documents/explanation.hpp"

#include <doctest/doctest.h>

using namespace soma;

TEST_CASE("an explanation shows its facts, its passages by name, and what comes next") {
  explain::explanation all{"target", "0x12", "settled", "It was paid.", {}, {}, {}};
  all.facts = {{"reward_shannons", std::uint64_t{7}},
               {"models", std::vector<std::string>{"0x3", "0x4"}}};
  all.passages = {
      {"story",
       "What happened",
       {{"target_filled", "somebody claimed it", block_height{9}, "8.1", {{"loss", 0.5F}}}}}};
  all.next = {{"reveal_due", "the data is to be revealed", std::nullopt, "", {}}};
  const auto shown = documents::explanation_json(all);
  CHECK(shown.text() == json::parse(R"({"subject": "target", "id": "0x12", "status": "settled",
          "summary": "It was paid.", "facts": {"reward_shannons": 7, "models": ["0x3", "0x4"]},
          "story": [{"what": "target_filled", "text": "somebody claimed it", "height": 9,
                     "section": "8.1", "loss": 0.5}],
          "next": [{"what": "reveal_due", "text": "the data is to be revealed"}]})")
                            ->text());
}
