#include "deploy/soma/network/gateway_ledger.hpp"

#include <doctest/doctest.h>

#include <atomic>

#include "messages/crypto/key_file.hpp"
#include "tests/deploy/soma/binary.hpp"
#include "tests/deploy/soma/network/network_gateway.hpp"

using namespace soma;
using namespace soma::cli;
using soma::support::parse_json;
using soma::support::read_text;
using soma::support::says;
using soma::support::soma_user;
using soma::support::write_text;
using soma::test::network_gateway;
namespace fs = std::filesystem;

namespace {

/// A user whose home has the key of a rich account.
struct rich_user : soma_user {
  rich_user() {
    fs::create_directories(home() / "keys");
    const auto key = test::key_of(1);
    REQUIRE(crypto::save_key(home() / "keys" / "rich.pem", key, std::nullopt).has_value());
  }
  [[nodiscard]] fs::path home() const { return folder() / ".soma"; }
  [[nodiscard]] fs::path trust_file(const chain_id& chain) const {
    return network_memory(home()).trust_file(chain);
  }
};

std::size_t lines_of(const std::string& text) {
  return static_cast<std::size_t>(std::ranges::count(text, '\n'));
}

std::string balance_in(const support::finished_program& ended) {
  CAPTURE(ended.err);
  REQUIRE(ended.exit_code == 0);
  const auto read = parse_json(ended.out);
  REQUIRE(read.has_value());
  CHECK((*read)["proven"].text == "rows");
  return (*read)["accounts"].elements[0]["balance_shannons"].text;
}

std::string truth(const network_gateway& of) {
  const auto row = of.chain.store.find_row(account_key(test::address_of(1)));
  return std::to_string(decode<account_row>(*row).value().balance.value);
}

}  // namespace

TEST_CASE("a person without certificates reads a balance, and the home remembers the network") {
  network_gateway network;
  const rich_user user;
  const std::vector<std::string> words{"wallet", "balance", "rich",
                                       "--json", "--join",  network.address()};
  const auto first = user.run(words);
  CHECK(balance_in(first) == truth(network));
  CHECK(says(first.err, network.chain.chain().text()));
  CHECK(says(first.err, fingerprint(network.chain.chain())));
  CHECK(read_text(user.home() / "networks" / "known") == network.chain.chain().text() + "\n");
  const auto kept = read_text(user.trust_file(network.chain.chain()));
  CHECK(!kept.empty());

  network.chain.pay(5);
  const auto second = user.run(words);
  CHECK(balance_in(second) == truth(network));
  CHECK(second.err.empty());
  CHECK(read_text(user.trust_file(network.chain.chain())) != kept);

  // A gateway to another network is refused by name, also when it comes first.
  network_gateway other;
  REQUIRE(other.chain.chain() != network.chain.chain());
  const auto lost = user.run({"wallet", "balance", "rich", "--join", other.address(), "--json"});
  CHECK(lost.exit_code == 1);
  CHECK(says(lost.err, "\"other_network\""));
  CHECK(says(lost.err, other.chain.chain().text()));
  CHECK(says(lost.err, network.chain.chain().text()));
  const auto both = user.run(
      {"wallet", "balance", "rich", "--json", "--join", other.address() + "," + network.address()});
  CHECK(balance_in(both) == truth(network));
  CHECK(lines_of(both.err) == 1);
  CHECK(says(both.err, "left the gateway at " + other.address() + ": "));
  CHECK(read_text(user.home() / "networks" / "known") == network.chain.chain().text() + "\n");
  // Who names the other network by its hash, means it.
  const auto meant = user.run({"wallet", "balance", "rich", "--json", "--join", other.address(),
                               "--network", to_hex(other.chain.chain().view())});
  CHECK(balance_in(meant) == truth(other));
  CHECK(read_text(user.home() / "networks" / "known") == network.chain.chain().text() + "\n");
}

TEST_CASE("join and network stand in the home's configuration, and a wrong hash is refused") {
  network_gateway network;
  const rich_user user;
  const auto config = user.home() / "config.toml";
  write_text(config, "join = \"" + network.address() + "\"\nnetwork = \"0x" + std::string(64, '1') +
                         "\"\n");
  const auto wrong = user.run({"wallet", "balance", "rich"});
  CHECK(wrong.exit_code == 1);
  CHECK(says(wrong.err, "yours is 0x1111"));
  CHECK(!fs::exists(user.home() / "networks" / "known"));
  write_text(config, "join = \"" + network.address() + "\"\nnetwork = \"" +
                         network.chain.chain().text() + "\"\n");
  CHECK(balance_in(user.run({"wallet", "balance", "rich", "--json"})) == truth(network));
  CHECK(read_text(user.home() / "networks" / "known") == network.chain.chain().text() + "\n");
  CHECK(says(user.run({"config", "show"}).out, "join = \"" + network.address() + "\""));
  write_text(config, "join = 5\n");
  CHECK(says(user.run({"wallet", "balance", "rich"}).err, "the configuration's join: line 1"));
}

TEST_CASE("a damaged trust file is told in one line and set aside") {
  network_gateway network;
  const rich_user user;
  const std::vector<std::string> words{"wallet", "balance", "rich",
                                       "--json", "--join",  network.address()};
  CHECK(balance_in(user.run(words)) == truth(network));
  const auto file = user.trust_file(network.chain.chain());
  auto content = read_text(file);
  content[content.size() / 2] ^= 1;
  write_text(file, content);
  const auto again = user.run(words);
  CHECK(balance_in(again) == truth(network));
  CHECK(lines_of(again.err) == 1);
  CHECK(says(again.err, file.string() + " is damaged"));
  CHECK(read_text(file.string() + ".damaged") == content);
  CHECK(user.run(words).err.empty());
}

TEST_CASE("a gateway that lies is named, and the next one answers") {
  network_gateway liar, sound;
  const rich_user user;
  const auto chain = liar.chain.chain();
  // Both are gateways to the liar's network; the second tells the truth about it.
  test::chain_gateway honest(liar.chain, {.others = test::network_answers(liar.chain)});
  liar.change = [](const http::request& asked, http::response& made, std::size_t) {
    if (asked.path != "/v1/rows") return;
    auto changed = *made.body;
    changed[changed.size() / 2] ^= 1;
    made.body = std::make_shared<const bytes>(std::move(changed));
  };
  const auto ended = user.run({"wallet", "balance", "rich", "--json", "--network", chain.text(),
                               "--join", liar.address() + "," + honest.address()});
  CHECK(balance_in(ended) == truth(liar));
  CHECK(says(ended.err, "left the gateway at " + liar.address() + ": "));
  const auto alone = user.run({"wallet", "balance", "rich", "--join", liar.address()});
  CHECK(alone.exit_code == 1);
  CHECK(says(alone.err, "the gateway at " + liar.address() + ": "));
  CHECK(says(alone.err, "name other gateways"));
  CHECK(alone.out.empty());

  const auto loud =
      user.run({"wallet", "balance", "--json", "rich", "--unverified", "--join", honest.address()});
  CHECK(loud.exit_code == 0);
  CHECK(says(loud.err, "WARNING: --unverified"));
  CHECK((*parse_json(loud.out))["proven"].text == "nothing");
}

TEST_CASE("beside a gateway that does not answer rows, a balance takes the time of the other one") {
  network_gateway slow;
  const rich_user user;
  test::chain_gateway quick(slow.chain, {.others = test::network_answers(slow.chain)});
  slow.change = [](const http::request& asked, http::response& made, std::size_t) {
    if (asked.path == "/v1/rows") made.status = 0;
  };
  const auto began = std::chrono::steady_clock::now();
  const auto ended = user.run(
      {"wallet", "balance", "rich", "--json", "--join", slow.address() + "," + quick.address()});
  CHECK(balance_in(ended) == truth(slow));
  // Its limit of silence is 10 s, and it is asked for the genesis first.
  CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds(6));
  CHECK(!says(ended.err, "left the gateway"));
}

TEST_CASE("a transaction is tried out on proven rows, sent, and waited for") {
  network_gateway network;
  const rich_user user;
  const auto to = test::address_of(2).text();
  const std::vector<std::string> place{"--join", network.address(), "--from", "rich", "--json"};
  const auto run = [&](std::vector<std::string> words) {
    words.insert(words.end(), place.begin(), place.end());
    return user.run(words);
  };
  const auto dry = run({"wallet", "send", to, "1.5", "--dry-run"});
  CAPTURE(dry.err);
  REQUIRE(dry.exit_code == 0);
  CHECK(network.chain.headers.size() == 1);
  const auto sent = run({"wallet", "send", to, "1.5"});
  CAPTURE(sent.err);
  REQUIRE(sent.exit_code == 0);
  CHECK(network.chain.headers.size() == 2);
  const auto facts = *parse_json(sent.out);
  CHECK(facts["height"].text == "2");
  CHECK(facts["balance_shannons"].text == truth(network));
  CHECK(run({"wallet", "send", to, "100000"}).exit_code == 1);
  CHECK(run({"wallet", "send", to, "1", "--unverified"}).exit_code == 2);
  test::chain_gateway strict(
      network.chain, {.others = [&](const http::request& asked) {
        if (asked.verb != http::method::post) return test::network_answers(network.chain)(asked);
        return std::optional(http::error_response(422, "fee_too_low", "the fee is too low"));
      }});
  const auto refused =
      user.run({"wallet", "send", to, "1", "--from", "rich", "--json", "--join", strict.address()});
  CHECK(refused.exit_code == 1);
  CHECK(says(refused.err, "was not taken"));
  CHECK(says(refused.err, "fee_too_low: the fee is too low"));
}

TEST_CASE("a transaction that a node has forgotten is offered again") {
  network_gateway network;
  const rich_user user;
  std::atomic<int> offers = 0;
  test::chain_gateway forgetful(
      network.chain, {.others = [&](const http::request& asked) -> std::optional<http::response> {
        const bool is_offer = asked.verb == http::method::post && asked.path == "/v1/transactions";
        if (!is_offer || ++offers > 1) return test::network_answers(network.chain)(asked);
        return test::chain_gateway::respond(
            validator::receipt(transaction_id{}, validator::offer_refusal{}));
      }});
  const auto sent = user.run({"wallet", "send", test::address_of(2).text(), "1", "--from", "rich",
                              "--json", "--join", forgetful.address()});
  CAPTURE(sent.err);
  REQUIRE(sent.exit_code == 0);
  CHECK(offers == 2);
  CHECK(network.chain.headers.size() == 2);
  CHECK((*parse_json(sent.out))["height"].text == "2");
}

TEST_CASE("a gateway that says a block has a transaction that none has is not believed") {
  network_gateway network;
  const rich_user user;
  std::atomic<int> claims = 0;
  std::optional<http::request> dropped;
  auto& chain = network.chain;
  network.change = [&](const http::request& asked, http::response& made, std::size_t) {
    if (!asked.path.starts_with("/v1/transactions/")) return;
    const auto real = message<schema::TransactionStatus>::parse(made.body_view());
    if (real && real->root().getHeight() != 0) ++claims;
    made.body =
        test::chain_gateway::respond(message<schema::TransactionStatus>::build([](auto out) {
          out.setHeight(1);
        })).body;
    // Later a block has it, and the row of the account shows that.
    if (++claims == 3 && dropped) (void)test::network_answers(chain)(*dropped);
  };
  test::chain_gateway keeps_back(
      chain, {.others = [&](const http::request& asked) -> std::optional<http::response> {
                if (asked.verb != http::method::post) return test::network_answers(chain)(asked);
                dropped = asked;
                return test::chain_gateway::respond(message<schema::SubmitReceipt>{});
              },
              .change = network.change});
  const auto sent = user.run({"wallet", "send", test::address_of(2).text(), "1.5", "--from", "rich",
                              "--json", "--join", keeps_back.address()});
  CAPTURE(sent.err);
  REQUIRE(sent.exit_code == 0);
  CHECK(claims >= 3);
  CHECK(chain.headers.size() == 2);
  CHECK((*parse_json(sent.out))["balance_shannons"].text == truth(network));
}

TEST_CASE("a network that was not followed for long needs a block that the person knows") {
  const auto now = test::now_ms();
  test::proven_chain chain;
  chain.grow(now - 1'000'000 - 20'000);
  REQUIRE((chain.headers.back().flags & block_closes_epoch) != 0);
  const auto end = "0:" + signing::id_of(chain.headers.back()).text();
  chain.grow(1'000, {chain.proposer.transfer(5)});
  test::chain_gateway gateway(chain, {.others = test::network_answers(chain)});
  const rich_user user;
  const auto run = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"wallet", "balance", "rich", "--json", "--join", gateway.address()});
    return user.run(std::move(more));
  };
  const auto network = signing::chain_id_of(chain.genesis()).text();
  const auto refused = run({"--network", network});
  CHECK(refused.exit_code == 1);
  CHECK(says(refused.err, "--trusted-end EPOCH:0xBLOCK"));
  CHECK(!fs::exists(user.home() / "networks" / "known"));
  CHECK(run({"--trusted-end", "0:0x12"}).exit_code == 2);
  CHECK(run({"--trusted-end", "0:0x" + std::string(64, '1')}).exit_code == 1);
  CHECK(run({"--network", network, "--trusted-end", end}).exit_code == 0);
  CHECK(run({}).exit_code == 0);

  // Whoever asks the gateway which network there is takes its word for the committee, and is told.
  const rich_user stranger;
  const auto told = stranger.run({"wallet", "balance", "rich", "--join", gateway.address()});
  CHECK(told.exit_code == 0);
  CHECK(says(told.err, "its committee is the gateway's word, too"));
  CHECK(fs::exists(stranger.home() / "networks" / "known"));
}

TEST_CASE("without proofs, rows that no ledger can have are refused all the same") {
  network_gateway network;
  const rich_user user;
  network.change = [](const http::request& asked, http::response& made, std::size_t) {
    if (asked.path != "/v1/rows") return;
    const auto real = message<schema::ProvenRows>::parse(made.body_view());
    const auto from = real->root();
    made.body = test::chain_gateway::respond(message<schema::ProvenRows>::build([&](auto out) {
                  out.setFinality(from.getFinality());
                  auto list = out.initRows(from.getRows().size());
                  for (unsigned i = 0; i < list.size(); ++i) {
                    list.setWithCaveats(i, from.getRows()[i]);
                    auto row = decode<validator_row>(view_of(from.getRows()[i].getValue()));
                    if (!row) continue;
                    row->pool.owner_shares = row->pool.shares + 1;
                    const auto forged = encode(*row);
                    list[i].setValue(data_of(forged));
                  }
                })).body;
  };
  const auto ended = user.run(
      {"wallet", "balance", "rich", "--unverified", "--join", network.address(), "--json"});
  CHECK(ended.exit_code == 1);
  CHECK(says(ended.err, "the answer has other rows than were asked for"));
}

TEST_CASE("the verbs that only read do so through a gateway") {
  network_gateway network;
  const rich_user user;
  const auto run = [&](std::vector<std::string> words) {
    words.insert(words.end(), {"--join", network.address(), "--json"});
    const auto ended = user.run(words);
    CAPTURE(words[0]);
    CAPTURE(ended.err);
    CHECK(ended.exit_code == 0);
    return parse_json(ended.out).value_or(support::parsed_json{});
  };
  const auto status = run({"status"});
  CHECK(status["height"].text == "1");
  CHECK(status["chain"].text == network.chain.chain().text());
  CHECK(status["proven"].text == "rows");
  CHECK(run({"target", "list"})["proven"].text == "rows");
  CHECK(run({"target", "list", "--all"})["proven"].text == "rows");
  CHECK(run({"target", "list", "--status", "open"})["proven"].text == "complete");
  CHECK(run({"model", "list", "--status", "active"})["proven"].text == "complete");
  CHECK(run({"model", "list"})["models"].elements.empty());
  CHECK(run({"stake", "list", "validator:" + test::address_of(9).short_text()})["positions"]
            .elements.size() == 1);
  const auto listed =
      user.run({"model", "list", "--status", "active", "--join", network.address()});
  CHECK(says(listed.err, "no active one is left out"));
  const auto screen = user.run({"status", "--join", network.address()});
  CHECK(says(screen.out, "read from   the gateway at " + network.address()));
  CHECK(says(screen.err, "the gateway's word"));
}

TEST_CASE("many rows are read in few answers, and pages end") {
  network_gateway network;
  const rich_user user;
  run_context context;
  context.home = user.home();
  context.config = cli::json(cli::json::object());
  ledger_place place;
  place.join = network.address();
  place.network = network.chain.chain().text();
  const auto opened = network_connection::open(context, place);
  REQUIRE(opened.has_value());
  auto& source = **opened;
  const auto before = network.gateway.requests();
  std::vector<row_key> keys(600, account_key(test::address_of(1)));
  keys[300] = account_key(test::address_of(77));
  const auto found = source.find_many(keys);
  REQUIRE(found.size() == 600);
  for (std::size_t i = 0; i < found.size(); ++i) {
    CHECK(found[i] == network.chain.store.find_row(keys[i]));
  }
  CHECK(network.gateway.requests() == before + 3);
  CHECK(source.find_many({}).empty());
  std::size_t seen = 0;
  source.scan(table_prefix(ledger_table::account), [&](byte_view key, byte_view value) {
    const auto held = network.chain.store.find_row(key);
    CHECK(std::ranges::equal(value, *held));
    return ++seen < 2;
  });
  CHECK(seen == 2);
  CHECK(source.status()->getHeight() == 1);
}
