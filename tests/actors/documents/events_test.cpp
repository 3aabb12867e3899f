#include "actors/documents/events.hpp"

#include <doctest/doctest.h>

using namespace soma;

TEST_CASE("an event shows its place, its kind by name, and the fields that apply") {
  event paid;
  paid.kind = event_kind::submitter_paid;
  paid.height = block_height{17};
  paid.epoch = epoch_number{2};
  paid.account = address{{1}};
  paid.target = target_id{{2}};
  paid.amount = shannons{5};
  const auto shown = documents::event_json(3, paid);
  CHECK(shown.find("place")->plain() == "17:3");
  CHECK(shown.find("kind")->plain() == "submitter_paid");
  CHECK(shown.find("account")->plain() == paid.account.text());
  CHECK(shown.find("target")->plain() == paid.target.text());
  CHECK(shown.find("amount_shannons")->plain() == "5");
  for (const auto* absent : {"transaction", "model", "version", "other", "refusal", "detail"}) {
    CAPTURE(std::string(absent));
    CHECK(shown.find(absent) == nullptr);
  }
}

TEST_CASE("a refused transaction names the rule's number and its section") {
  event refused;
  refused.kind = event_kind::transaction_refused;
  refused.transaction = transaction_id{{9}};
  refused.model = {model_id{{4}}, 2};
  refused.refusal = 1;
  refused.detail = 7;
  refused.audits_due = 8;
  const auto shown = documents::event_json(0, refused);
  CHECK(shown.find("transaction")->plain() == refused.transaction.text());
  CHECK(shown.find("model")->plain() == refused.model.model.text());
  CHECK(shown.find("version")->plain() == "2");
  CHECK(shown.find("refusal")->plain() == "1");
  CHECK(!shown.find("section")->plain().empty());
  CHECK(shown.find("detail")->plain() == "7");
  CHECK(shown.find("audits_due")->plain() == "8");
}
