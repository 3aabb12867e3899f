// What a reply says about a request that was not carried out.
#include <doctest/doctest.h>

#include "messages/wire/message.hpp"
#include "messages/wire/refusals.hpp"

using namespace soma;

namespace {

enum class sample_refusal : std::uint16_t { none, duplicate, too_large };

message<schema::Ack> refused(schema::MempoolRefusal reason, std::string_view why) {
  return message<schema::Ack>::build([&](auto out) {
    auto refusal = out.initRefusal();
    refusal.setMempool(reason);
    refusal.setWhy(bounded_why(why));
  });
}

}  // namespace

TEST_CASE("a reply without a refusal says that the request was carried out") {
  const message<schema::Ack> done;
  CHECK_FALSE(is_refused(done.root().getRefusal()));
  CHECK(why_of(done.root().getRefusal()).empty());
  const auto also_done = message<schema::Ack>::build([](auto out) { out.initRefusal().setNone(); });
  CHECK_FALSE(is_refused(also_done.root().getRefusal()));
}

TEST_CASE("a refusal says whose it is and which, whatever its sentence") {
  for (const auto* why : {"", "the request was carried out"}) {
    const auto reply = refused(schema::MempoolRefusal::DUPLICATE, why);
    const auto refusal = reply.root().getRefusal();
    CHECK(is_refused(refusal));
    REQUIRE(refusal.isMempool());
    CHECK_FALSE(refusal.isRules());
    CHECK(refusal.getMempool() == schema::MempoolRefusal::DUPLICATE);
    CHECK(why_of(refusal) == why);
    CHECK(*message<schema::Ack>::parse(reply.bytes()) == reply);
  }
}

TEST_CASE("the numbers of an enum whose 0 is no refusal are those of the schema and one more") {
  using to_schema = schema::MempoolRefusal;
  CHECK(schema_refusal<to_schema>(sample_refusal::duplicate) == to_schema::DUPLICATE);
  CHECK(schema_refusal<to_schema>(sample_refusal::too_large) == to_schema::TOO_LARGE);
  CHECK(refusal_of_schema<sample_refusal>(to_schema::TOO_LARGE) == sample_refusal::too_large);
}

TEST_CASE("a sentence that is too long is cut between two characters") {
  CHECK(bounded_why("short") == "short");
  CHECK(bounded_why(std::string(max_why_bytes, 'a')).size() == max_why_bytes);
  for (std::size_t before = 0; before < 4; ++before) {
    CAPTURE(before);
    std::string text(before, 'a');
    while (text.size() < max_why_bytes + 10) text += "\xe2\x82\xac";  // three bytes a character
    const auto cut = bounded_why(text);
    CHECK(cut.size() > max_why_bytes - 3);
    CHECK(cut.size() <= max_why_bytes);
    CHECK((cut.size() - before) % 3 == 0);
    CHECK(why_of(refused(schema::MempoolRefusal::EXPIRED, text).root().getRefusal()) == cut);
  }
}
