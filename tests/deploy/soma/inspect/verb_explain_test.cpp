// `soma explain` on a ledger that another process has open and writes.
#include "tests/actors/explain/explained_network.hpp"
#include "tests/deploy/soma/binary.hpp"

namespace soma::support {
namespace {

using test::somebody;

address owner_of(std::uint8_t fifth) {
  address id;
  id.value.fill(0xaa);
  id.value[4] = fifth;
  return id;
}

/// One target settled, and two accounts whose ids share their first eight digits.
struct told_ledger {
  std::vector<test::person> people{somebody(1), somebody(2)};
  test::explained_network net{genesis(people)};
  target_id target;
  model_id model;

  told_ledger() {
    model = net.active_models(people[0], 3).front().id;
    const auto open = net.n.open_targets().front();
    target = open.id;
    const auto made = test::submission_for(open, people[1], 77);
    net.apply(people[1], made.claim);
    net.apply(people[1], made.reveal);
    for (std::size_t v = 0; v < 3; ++v) {
      net.apply(test::four_validators()[v], tx::vote_on_submission{target, audit_verdict::ok});
    }
  }
  static soma::genesis genesis(const std::vector<test::person>& people) {
    auto made = test::four_validator_genesis(people);
    made.accounts.push_back({owner_of(0x01), {1}});
    made.accounts.push_back({owner_of(0x12), {2}});
    return made;
  }
  [[nodiscard]] finished_program explain(std::vector<std::string> words) const {
    words.insert(words.begin(), "explain");
    words.insert(words.end(), {"--ledger", net.dir.path().string()});
    return user.run(words);
  }
  [[nodiscard]] parsed_json explained(const std::string& what) const {
    const auto done = explain({what, "--json"});
    CAPTURE(done.err);
    REQUIRE(done.exit_code == 0);
    const auto document = parse_json(done.out);
    REQUIRE(document);
    return *document;
  }
  soma_user user;
};

}  // namespace

TEST_CASE("soma explain tells a target's story by its first digits, in text and in JSON") {
  const told_ledger ledger;
  const auto id = ledger.target.text();
  const auto text = ledger.explain({id.substr(0, 10)});
  CAPTURE(text.err);
  REQUIRE(text.exit_code == 0);
  for (const char* part : {"settled in block", "opened with a reward of", "(protocol §8.1)",
                           "ok votes reached 7500 of the 6667 needed", "as the submitter"}) {
    CAPTURE(part);
    CHECK(text.out.find(part) != std::string::npos);
  }
  const auto explained = ledger.explained(id.substr(0, 10));
  CHECK(explained["subject"].text == "target");
  CHECK(explained["id"].text == id);
  CHECK(explained["status"].text == "settled");
  CHECK(explained["next"].elements.empty());
  const auto row = *ledger::read_target(ledger.net.n.state, ledger.target);
  CHECK(explained["facts"]["reward_shannons"].text == std::to_string(row.reward.value));
  const auto& story = explained["story"].elements;
  REQUIRE_FALSE(story.empty());
  CHECK(story.front()["what"].text == "target_opened");
  CHECK(story.front()["section"].text == "7");
  CHECK(story.front()["assigned"].elements.size() == 3);
  CHECK(story.back()["height"].text == std::to_string(ledger.net.height()));
}

TEST_CASE("soma explain tells models, addresses and epochs, each as one JSON document") {
  const told_ledger ledger;
  CHECK(ledger.explained(ledger.model.text())["subject"].text == "model");
  const auto submitter = ledger.people[1].where().text();
  const auto account = ledger.explained(submitter.substr(2, 12));
  CHECK(account["subject"].text == "address");
  CHECK(account["id"].text == submitter);
  CHECK(ledger.explained(test::four_validators()[0].where().text())["status"].text == "validator");
  CHECK(ledger.explained("0")["status"].text == "ended");
  // A key of the wallet by its name; what is public of it is enough.
  const auto keys = ledger.user.folder() / ".soma" / "keys";
  std::filesystem::create_directories(keys);
  const std::string locked = "locked";
  write_text(keys / "alice.pem", locked);
  write_text(keys / "alice.pub",
             "0x" + to_hex(ledger.people[1].key) + "\n" +
                 crypto::hash("soma.key-file", bytes(locked.begin(), locked.end())).text() + "\n");
  CHECK(ledger.explained("alice")["id"].text == submitter);
  const auto running = ledger.explained(std::to_string(ledger.net.epoch()));
  CHECK(running["status"].text == "running");
  CHECK(running["next"].elements.size() == 1);
  // Nine digits tell apart what eight do not.
  CHECK(ledger.explained("0xaaaaaaaa0")["id"].text == owner_of(0x01).text());
  CHECK(ledger.explained("0xAAAAAAAA1")["id"].text == owner_of(0x12).text());
}

TEST_CASE("soma explain reads as many events as --events says, and says when there are more") {
  const told_ledger ledger;
  const auto submitter = ledger.people[1].where().text();
  const std::string notice = "--events reads more";
  const auto all = ledger.explain({submitter});
  CHECK(all.exit_code == 0);
  CHECK(all.out.find(notice) == std::string::npos);
  const auto few = ledger.explain({submitter, "--events", "2"});
  CHECK(few.exit_code == 0);
  CHECK(few.out.find(notice) != std::string::npos);
  const auto document = parse_json(ledger.explain({submitter, "--events", "2", "--json"}).out);
  REQUIRE(document);
  CHECK((*document)["facts"]["events_read"].text == "2");
}

TEST_CASE("soma explain refuses what names nothing or too much, in one line") {
  const told_ledger ledger;
  const auto check = [&](const std::string& what, int code, const std::string& part) {
    CAPTURE(what);
    const auto done = ledger.explain({what});
    CAPTURE(done.err);
    CHECK(done.exit_code == code);
    CHECK(is_one_line(done.err));
    CHECK(done.err.find(part) != std::string::npos);
    CHECK(done.out.empty());
  };
  check("0xaaaaaaaa", 1, owner_of(0x12).text());
  check("0xaaaaaaaa", 1, owner_of(0x01).text());
  check("0x1234567", 2, "at least 8 hex digits");
  check("somebody", 2, "at least 8 hex digits");
  check("0xabababab", 1, "no target, model or address");
  check("0x" + std::string(64, 'c'), 1, "nothing in the ledger concerns this address");
  check("1000", 1, "has not begun");
}

}  // namespace soma::support
