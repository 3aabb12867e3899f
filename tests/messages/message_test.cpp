#include "messages/types/message.hpp"

#include <doctest/doctest.h>

#include "messages/schema/ledger.capnp.h"

namespace soma {

TEST_CASE("a message is its words: built, sent, received, equal") {
  const auto sent = message<schema::AccountRow>::build([](schema::AccountRow::Builder b) {
    b.setBalance(7);
    b.setNonce(9);
  });
  CHECK(sent->getBalance() == 7);
  const auto received = message<schema::AccountRow>::parse(sent.bytes());
  REQUIRE(received);
  CHECK(*received == sent);
  CHECK(received->root().getNonce() == 9);
}

}  // namespace soma
