#include "deploy/soma/network/network_memory.hpp"

#include <doctest/doctest.h>

#include "actors/gateway_client/kept_trust.hpp"
#include "tests/actors/public_answers/proven_chain.hpp"
#include "tests/support/program.hpp"

using namespace soma;
using namespace soma::cli;
namespace fs = std::filesystem;

namespace {

bytes trust_of(const test::proven_chain& chain, std::size_t height) {
  gateway_client::kept_trust trust;
  trust.chain = chain.chain();
  trust.trust_period_ms = 1;
  trust.since_ms = chain.headers[height - 1].time_ms;
  trust.seats = decode<committee_row>(*chain.store.find_row(committee_key())).value().seats;
  trust.proven = chain.headers[height - 1];
  return gateway_client::encode_kept(trust);
}

}  // namespace

TEST_CASE("a home knows one network, and a damaged memory is refused") {
  const test::scratch_directory home;
  const network_memory memory(home.path() / "h");
  CHECK(memory.known().value() == std::nullopt);
  const auto network = *chain_id::parse(std::string(64, '7'));
  REQUIRE(memory.remember(network).has_value());
  CHECK(memory.known().value() == network);
  CHECK(support::read_text(memory.known_file()) == network.text() + "\n");
  for (const auto* text : {"", "0x12\n", "hello", "\n\n"}) {
    support::write_text(memory.known_file(), text);
    const auto read = memory.known();
    REQUIRE_FALSE(read.has_value());
    CHECK(read.error().why == "it does not hold a chain id");
  }
  support::write_text(memory.known_file(), std::string(1'000, '7'));
  CHECK_FALSE(memory.known().has_value());
}

TEST_CASE("what is proven is kept, never exchanged for an older block, and set aside if damaged") {
  test::proven_chain chain;
  for (int i = 0; i < 3; ++i) chain.pay(5);
  const test::scratch_directory home;
  const network_memory memory(home.path());
  CHECK(memory.trust(chain.chain()) == std::nullopt);
  REQUIRE(memory.keep_trust(chain.chain(), trust_of(chain, 2)).has_value());
  CHECK(memory.trust(chain.chain()) == trust_of(chain, 2));
  REQUIRE(memory.keep_trust(chain.chain(), trust_of(chain, 1)).has_value());
  CHECK(memory.trust(chain.chain()) == trust_of(chain, 2));
  REQUIRE(memory.keep_trust(chain.chain(), trust_of(chain, 3)).has_value());
  CHECK(memory.trust(chain.chain()) == trust_of(chain, 3));

  support::write_text(memory.trust_file(chain.chain()), "damaged");
  memory.set_trust_aside(chain.chain(), "why");
  CHECK(memory.trust(chain.chain()) == std::nullopt);
  CHECK(support::read_text(memory.trust_file(chain.chain()).string() + ".damaged") == "damaged");
  support::write_text(memory.trust_file(chain.chain()), "damaged again");
  REQUIRE(memory.keep_trust(chain.chain(), trust_of(chain, 1)).has_value());
  CHECK(memory.trust(chain.chain()) == trust_of(chain, 1));
  for (const auto& entry : fs::directory_iterator(home.path() / "networks")) {
    CHECK(entry.path().filename().string().find(".part") == std::string::npos);
  }
}

TEST_CASE("a fingerprint is half of a chain id in groups of four digits") {
  const auto network =
      *chain_id::parse("0x0123456789abcdef0123456789abcdef" + std::string(32, 'f'));
  CHECK(fingerprint(network) == "0123 4567 89ab cdef 0123 4567 89ab cdef");
}
