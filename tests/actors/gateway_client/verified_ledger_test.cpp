#include "actors/gateway_client/verified_ledger.hpp"

#include <doctest/doctest.h>

#include <map>
#include <random>
#include <set>

#include "actors/public_answers/history.hpp"
#include "actors/public_answers/proven_rows.hpp"
#include "messages/codec/codec_consensus.hpp"
#include "messages/codec/codec_proofs.hpp"
#include "messages/codec/model_entry.hpp"
#include "tests/actors/public_answers/proven_chain.hpp"

using namespace soma;
using namespace soma::gateway_client;
using test::proven_chain;

namespace {

template <class Answer>
bytes bytes_of_answer(const message<Answer>& answer) {
  const auto view = answer.bytes();
  return {view.begin(), view.end()};
}

/// An honest gateway to a chain; a test changes what it says before it says it.
struct scripted_gateway {
  explicit scripted_gateway(proven_chain& behind) : chain(behind) {
    port.genesis = [this] { return told(encode(chain.genesis())); };
    port.epoch_proofs = [this](const auto& asked) {
      return told(
          bytes_of_answer(public_answers::epoch_proofs_answer(chain.store.view(), asked.root())));
    };
    port.proven_rows = [this](const auto& asked) {
      return told(bytes_of_answer(prover.answer(chain.store.view(), chain.tree, asked.root())));
    };
  }
  fetched told(bytes answer) {
    ++answers;
    if (lie) lie(answer, answers);
    return answer;
  }

  proven_chain& chain;
  public_answers::row_prover prover;
  fetch_port port;
  std::function<void(bytes& answer, std::size_t number)> lie;
  std::size_t answers = 0;  // so far
};

/// A chain, an honest gateway to it, and a clock that stands at the newest block.
struct fixture {
  fixture() : gateway(chain) {}
  [[nodiscard]] verified_ledger::clock clock() {
    return [this] {
      return (chain.headers.empty() ? chain.genesis().start_ms : chain.headers.back().time_ms) +
             later_ms;
    };
  }
  /// Accepts the gap, since the epochs of this network pass faster than a person reads.
  [[nodiscard]] verified_ledger start(client_options options = {.accept_gap = true}) {
    auto made = verified_ledger::start(chain.chain(), gateway.port, clock(), options);
    REQUIRE(made.has_value());
    return std::move(*made);
  }
  [[nodiscard]] std::optional<bytes> truth(byte_view key) const {
    return chain.store.find_row(key);
  }

  proven_chain chain;
  scripted_gateway gateway;
  std::uint64_t later_ms = 0;
};

template <class Value>
distrust reason_of(const expected<Value, refusal>& answer) {
  REQUIRE_FALSE(answer.has_value());
  return answer.error().reason;
}

const row_key rich = account_key(test::address_of(1)), poor = account_key(test::address_of(2)),
              nobody = account_key(test::address_of(77));

/// Changes fields of an answer with rows and builds it again in canonical form.
struct rows_editor {
  explicit rows_editor(byte_view from) {
    const auto read = read_rows(bytes(from.begin(), from.end()));
    REQUIRE(read.has_value());
    answer = *read;
  }
  [[nodiscard]] bytes build() const {
    return bytes_of_answer(message<schema::ProvenRows>::build([&](auto out) {
      bytes headers;
      for (const auto& header : answer.headers) {
        const auto layout = header_layout(header);
        headers.insert(headers.end(), layout.begin(), layout.end());
      }
      out.initFinality().setHeaders(data_of(headers));
      const auto final = encode(answer.final);
      out.getFinality().setCertificate(data_of(final));
      out.setMore(answer.more);
      auto list = out.initRows(static_cast<unsigned>(answer.rows.size()));
      for (unsigned i = 0; i < answer.rows.size(); ++i) {
        const auto& row = answer.rows[i];
        list[i].setKey(data_of(row.key));
        list[i].setPresent(row.value.has_value());
        if (row.value) list[i].setValue(data_of(*row.value));
        const auto proof = encode(row.proof);
        list[i].setProof(data_of(proof));
      }
    }));
  }
  answered_rows answer;
};

}  // namespace

TEST_CASE("a client that knows a hash alone reads true rows, through epochs and blocks") {
  fixture f;
  f.chain.pay(5);
  auto client = f.start();
  CHECK(client.height().value == 0);
  for (int round = 0; round < 6; ++round) {
    CAPTURE(round);
    for (int i = 0; i < round; ++i) f.chain.pay(10 + i);
    if (round % 2 == 1) f.chain.close_epoch(round);
    if (round == 4) f.chain.close_epoch(), f.chain.close_epoch(2);
    CHECK(client.find(f.gateway.port, rich).value() == f.truth(rich));
    CHECK(client.find(f.gateway.port, nobody).value() == std::nullopt);
    CHECK(client.header() == f.chain.headers.back());
    const std::vector<row_key> keys{poor, nobody, rich, chain_key(), poor};
    const auto found = client.find_many(f.gateway.port, keys);
    REQUIRE(found.has_value());
    REQUIRE(found->values.size() == keys.size());
    for (std::size_t i = 0; i < keys.size(); ++i) CHECK(found->values[i] == f.truth(keys[i]));
    CHECK(client.catch_up(f.gateway.port).value() == f.chain.headers.back());
  }
  // Five epochs are over. The newest block closed the last of them and was proven within it.
  CHECK(client.epoch().value == 4);
}

TEST_CASE("pages show true rows in order") {
  fixture f;
  f.chain.pay(5);
  auto client = f.start();
  row_key after;
  std::size_t seen = 0;
  for (bool more = true; more;) {
    const auto page = client.page(f.gateway.port, table_prefix(ledger_table::account), after, 2);
    REQUIRE(page.has_value());
    CHECK_FALSE(page->is_complete_proven);
    for (const auto& [key, value] : page->rows) {
      CHECK(value == f.truth(key));
      after = key;
      ++seen;
    }
    more = page->more;
  }
  CHECK(seen == 3);
}

TEST_CASE("whatever byte of an answer is changed, the client gives the true row or a refusal") {
  fixture f;
  for (int i = 0; i < 3; ++i) f.chain.pay(5);
  f.chain.close_epoch(1);
  f.chain.pay(5);
  const std::vector<row_key> keys{rich, nobody};
  std::set<distrust> told;
  std::size_t lies = 0, believed = 0;
  // The answers are the genesis, the rows and the end of the epoch, in this order.
  for (const std::size_t number : {1, 2, 3}) {
    std::size_t size = 1;
    for (std::size_t step = 0; step < 2 * size; ++step) {
      const auto at = step / 2;
      CAPTURE(number);
      CAPTURE(step);
      f.gateway.answers = 0;
      f.gateway.lie = [&](bytes& answer, std::size_t now) {
        if (now != number) return;
        size = answer.size();
        answer[at] ^= static_cast<std::uint8_t>(step % 2 == 0 ? 1U : 2U << at % 7);
      };
      ++lies;
      auto client =
          verified_ledger::start(f.chain.chain(), f.gateway.port, f.clock(), {.accept_gap = true});
      const auto found =
          client ? client->find_many(f.gateway.port, keys) : make_unexpected(client.error());
      if (!found) {
        told.insert(found.error().reason);
        CHECK(is_lie(found.error().reason));
        continue;
      }
      ++believed;
      CHECK(found->header == f.chain.headers.back());
      for (std::size_t i = 0; i < found->values.size(); ++i) {
        CHECK(found->values[i] == f.truth(keys[i]));
      }
    }
  }
  CHECK(lies > 6'000);
  // Bits beside a Bool that no field uses, and the number of the epoch beside the proofs, say
  // nothing about rows: a word for each of two rows, and one word.
  CHECK(believed <= 3 * 16);
  for (const auto reason :
       {distrust::malformed, distrust::wrong_genesis, distrust::other_chain, distrust::wrong_root,
        distrust::forged_row, distrust::bad_certificate, distrust::wrong_committee,
        distrust::wrong_headers, distrust::other_answer}) {
    CAPTURE(to_text(reason));
    CHECK(told.contains(reason));
  }
}

TEST_CASE("forged, omitted and exchanged rows are refused by name, and the next answer is taken") {
  fixture f;
  f.chain.pay(5);
  auto client = f.start();
  const std::vector<row_key> keys{rich, nobody, poor};
  const auto lie = [&](const std::function<void(answered_rows&)>& change) {
    f.gateway.lie = [&](bytes& answer, std::size_t) {
      rows_editor editor(answer);
      change(editor.answer);
      answer = editor.build();
    };
    const auto reason = reason_of(client.find_many(f.gateway.port, keys));
    f.gateway.lie = nullptr;
    REQUIRE(client.find_many(f.gateway.port, keys).has_value());
    return reason;
  };
  CHECK(lie([](auto& a) { a.rows[0].value->front() ^= 1; }) == distrust::forged_row);
  CHECK(lie([](auto& a) { a.rows[0].value = a.rows[2].value; }) == distrust::forged_row);
  CHECK(lie([](auto& a) { a.rows[1].value = a.rows[0].value; }) == distrust::forged_row);
  CHECK(lie([](auto& a) { a.rows[0].value.reset(); }) == distrust::forged_absence);
  CHECK(lie([](auto& a) { std::swap(a.rows[0].proof, a.rows[1].proof); }) == distrust::wrong_root);
  CHECK(lie([](auto& a) { a.rows[0].proof.leaf.pop_back(); }) == distrust::wrong_root);
  CHECK(lie([](auto& a) { a.rows[0].proof.totals.rows += 1; }) == distrust::wrong_root);
  CHECK(lie([](auto& a) { a.rows.clear(); }) == distrust::other_answer);
  CHECK(lie([](auto& a) { a.rows.pop_back(); }) == distrust::other_answer);
  CHECK(lie([](auto& a) { a.rows.clear(), a.more = true; }) == distrust::other_answer);
  CHECK(lie([](auto& a) { a.more = true; }) == distrust::other_answer);
  CHECK(lie([](auto& a) { a.rows.push_back(a.rows[0]); }) == distrust::other_answer);
  CHECK(lie([](auto& a) { std::swap(a.rows[0], a.rows[1]); }) == distrust::other_answer);
  CHECK(lie([](auto& a) { a.rows[0] = a.rows[2]; }) == distrust::other_answer);
}

TEST_CASE("pages with rows of elsewhere, out of order or absent are refused") {
  fixture f;
  f.chain.pay(5);
  auto client = f.start();
  const auto prefix = table_prefix(ledger_table::account);
  const auto lie = [&](const std::function<void(answered_rows&)>& change) {
    f.gateway.lie = [&](bytes& answer, std::size_t) {
      rows_editor editor(answer);
      change(editor.answer);
      answer = editor.build();
    };
    return reason_of(client.page(f.gateway.port, prefix, {}, 3));
  };
  const auto entry_of = [&](const row_key& key) {
    const auto asked = message<schema::GetProvenRows>::build(
        [&](auto out) { out.initKeys(1).set(0, data_of(key)); });
    const auto other = f.gateway.prover.answer(f.chain.store.view(), f.chain.tree, asked.root());
    return rows_editor(bytes_of_answer(other)).answer.rows.front();
  };
  CHECK(lie([](auto& a) { std::swap(a.rows[0], a.rows[1]); }) == distrust::other_answer);
  CHECK(lie([](auto& a) { a.rows.insert(a.rows.begin(), a.rows[0]); }) == distrust::other_answer);
  CHECK(lie([&](auto& a) { a.rows = {entry_of(nobody)}; }) == distrust::other_answer);
  CHECK(lie([&](auto& a) { a.rows = {entry_of(committee_key())}; }) == distrust::other_answer);
  CHECK(lie([](auto& a) { a.rows.clear(), a.more = true; }) == distrust::other_answer);
  CHECK(lie([](auto& a) { a.rows[1].value->back() ^= 1; }) == distrust::forged_row);
  // More rows than were asked for, each of them true.
  const auto wide = message<schema::GetProvenRows>::build([&](auto out) {
    out.setPrefix(data_of(prefix));
    out.setMost(3);
  });
  f.gateway.lie = [&](bytes& answer, std::size_t) {
    answer =
        bytes_of_answer(f.gateway.prover.answer(f.chain.store.view(), f.chain.tree, wide.root()));
  };
  CHECK(reason_of(client.page(f.gateway.port, prefix, {}, 2)) == distrust::other_answer);
  // That a row is left away cannot be seen, which is why a page does not count as complete.
  f.gateway.lie = [&](bytes& answer, std::size_t) {
    rows_editor editor(answer);
    editor.answer.rows.erase(editor.answer.rows.begin() + 1);
    answer = editor.build();
  };
  CHECK(client.page(f.gateway.port, prefix, {}, 3)->rows.size() == 2);
}

TEST_CASE("certificates and headers of others, and of nobody, are refused by name") {
  fixture f;
  f.chain.pay(5, false);
  f.chain.pay(5);
  const auto lie = [&](const std::function<void(answered_rows&)>& change) {
    auto client = f.start();
    f.gateway.lie = [&](bytes& answer, std::size_t) {
      if (!read_rows(answer)) return;  // of the ends of epochs
      rows_editor editor(answer);
      change(editor.answer);
      answer = editor.build();
    };
    const auto reason = reason_of(client.find(f.gateway.port, rich));
    CHECK(client.height().value < 2);
    f.gateway.lie = nullptr;
    CHECK(client.find(f.gateway.port, rich).value() == f.truth(rich));
    return reason;
  };
  const auto& chain = f.chain;
  CHECK(lie([&](auto& a) { a.final = chain.certify(a.headers[0], 3); }) ==
        distrust::bad_certificate);
  CHECK(lie([](auto& a) { a.final.signatures.clear(), a.final.signers = {}; }) ==
        distrust::bad_certificate);
  CHECK(lie([&](auto& a) { a.final = chain.certify(chain.headers[0]); }) ==
        distrust::wrong_headers);
  CHECK(lie([](auto& a) { a.headers[0].state_root = {}; }) == distrust::wrong_headers);
  CHECK(lie([](auto& a) { a.headers.push_back(a.headers[0]); }) == distrust::wrong_headers);
  CHECK(lie([](auto& a) { a.headers[0].chain = {}; }) == distrust::other_chain);
  CHECK(lie([](auto& a) { a.headers[0].epoch = {1}; }) == distrust::missing_epochs);
  CHECK(lie([](auto& a) { a.headers[0].epoch = {UINT64_MAX}; }) == distrust::missing_epochs);
  CHECK(lie([](auto& a) { a.headers[0].height = {UINT64_MAX}; }) == distrust::wrong_headers);
  // The rows of the newest state do not belong to the state of the block before.
  CHECK(lie([&](auto& a) {
          a.headers = {chain.headers[0], chain.headers[1]};
        }) == distrust::wrong_root);
}

TEST_CASE("two quorums that sign different blocks of one height are named") {
  fixture f;
  f.chain.pay(5);
  auto client = f.start();
  REQUIRE(client.catch_up(f.gateway.port).has_value());
  f.gateway.lie = [&](bytes& answer, std::size_t) {
    rows_editor editor(answer);
    editor.answer.headers[0].time_ms += 1;
    editor.answer.final = f.chain.certify(editor.answer.headers[0]);
    answer = editor.build();
  };
  CHECK(reason_of(client.find(f.gateway.port, rich)) == distrust::contradiction);
  CHECK(client.header() == f.chain.headers.back());
}

TEST_CASE("ends of epochs that are missing, out of order or forged are refused by name") {
  fixture f;
  for (int i = 0; i < 3; ++i) f.chain.close_epoch(i);
  f.chain.pay(5);
  const auto lie = [&](const std::function<void(std::vector<epoch_proof>&)>& change) {
    f.gateway.lie = [&](bytes& answer, std::size_t number) {
      if (number != 3) return;
      auto proofs = *read_epoch_proofs(answer);
      change(proofs);
      answer = bytes_of_answer(message<schema::EpochProofs>::build([&](auto out) {
        auto list = out.initProofs(static_cast<unsigned>(proofs.size()));
        for (unsigned i = 0; i < proofs.size(); ++i) {
          const auto proof = encode(proofs[i]);
          list.set(i, data_of(proof));
        }
      }));
    };
    f.gateway.answers = 0;
    auto client = f.start();
    const auto found = client.find(f.gateway.port, rich);
    f.gateway.lie = nullptr;
    CHECK(client.find(f.gateway.port, rich).value() == f.truth(rich));
    return found ? std::nullopt : std::optional(found.error().reason);
  };
  CHECK(lie([](auto&) {}) == std::nullopt);
  CHECK(lie([](auto& p) { p.resize(1); }) == std::nullopt);  // it asks for the others
  CHECK(lie([](auto& p) { std::swap(p[0], p[1]); }) == distrust::missing_epochs);
  CHECK(lie([](auto& p) { p.erase(p.begin()); }) == distrust::missing_epochs);
  CHECK(lie([](auto& p) { p[1] = p[0]; }) == distrust::missing_epochs);
  CHECK(lie([](auto& p) { p[0].next_committee[0].consensus_key[0] ^= 1; }) ==
        distrust::wrong_committee);
  CHECK(lie([&](auto& p) { p[1].final = f.chain.certify(p[1].headers.back(), 4); }) ==
        distrust::bad_certificate);
  CHECK(lie([](auto& p) { p[2].headers.pop_back(); }) == distrust::wrong_headers);
  CHECK(lie([](auto& p) { p.clear(); }) == distrust::malformed);
  // A node that does not keep so much is honest, and of no use to this client.
  f.gateway.lie = [](bytes& answer, std::size_t number) {
    if (number != 3) return;
    answer = bytes_of_answer(
        public_answers::refused<schema::EpochProofs>(public_answers::ledger_refusal::not_kept));
  };
  f.gateway.answers = 0;
  auto client = f.start();
  const auto found = client.find(f.gateway.port, rich);
  REQUIRE(reason_of(found) == distrust::declined);
  CHECK(found.error().declined == schema::LedgerRefusal::NOT_KEPT);
}

TEST_CASE("a client never goes back: an older state is stale, whether of another time or epoch") {
  fixture f, old;
  for (auto* chain : {&f.chain, &old.chain}) chain->pay(5);
  for (int i = 0; i < 16; ++i) f.chain.grow(100);
  auto client = f.start();
  REQUIRE(client.catch_up(f.gateway.port).has_value());
  // Sixteen blocks behind is allowed, and seventeen are not.
  REQUIRE(client.height().value == 17);
  CHECK(client.find(old.gateway.port, rich).value() == old.truth(rich));
  CHECK(client.height().value == 17);
  f.chain.grow(100);
  REQUIRE(client.catch_up(f.gateway.port).has_value());
  CHECK(reason_of(client.find(old.gateway.port, rich)) == distrust::stale);
  // The closing block itself is still proven after the epoch, and blocks before it are stale.
  f.chain.close_epoch();
  f.chain.grow(100);
  REQUIRE(client.catch_up(f.gateway.port).has_value());
  for (int i = 0; i < 17; ++i) old.chain.grow(100);
  old.later_ms = 61'000;
  CHECK(reason_of(client.find(old.gateway.port, rich)) == distrust::stale);
  CHECK(client.header() == f.chain.headers.back());
}

TEST_CASE("a block that is old by the clock is stale") {
  fixture f;
  f.chain.pay(5);
  auto client = f.start();
  f.later_ms = 120'000;
  CHECK(client.find(f.gateway.port, rich).value() == f.truth(rich));
  CHECK(client.age_ms() == 120'000);
  f.later_ms = 120'001;
  CHECK(reason_of(client.find(f.gateway.port, rich)) == distrust::stale);
  f.later_ms = 0;
  CHECK(client.find(f.gateway.port, rich).has_value());
}

TEST_CASE("trust that is older than the time of unbonding is refused, unless a person accepts it") {
  fixture f;
  f.chain.pay(5);
  auto careful = f.start({});
  CHECK(careful.find(f.gateway.port, rich).value() == f.truth(rich));
  // The trust period is two epochs of a minute.
  f.chain.grow(120'000);
  CHECK(careful.find(f.gateway.port, rich).has_value());
  f.chain.grow(120'001);
  CHECK(reason_of(careful.find(f.gateway.port, rich)) == distrust::unsafe_gap);
  const auto kept = careful.kept();
  auto again = verified_ledger::resume(f.chain.chain(), kept, f.clock(), {});
  REQUIRE(again.has_value());
  CHECK(reason_of(again->find(f.gateway.port, rich)) == distrust::unsafe_gap);
  auto bold = verified_ledger::resume(f.chain.chain(), kept, f.clock(), {.accept_gap = true});
  REQUIRE(bold.has_value());
  CHECK_FALSE(bold->crossed_gap());
  CHECK(bold->find(f.gateway.port, rich).value() == f.truth(rich));
  CHECK(bold->crossed_gap());
}

TEST_CASE("a person who knows the end of an epoch can start on an old network, and on no other") {
  fixture f;
  for (int i = 0; i < 5; ++i) f.chain.close_epoch(i);
  f.chain.pay(5);
  const auto& third = f.chain.headers[3];
  const auto start_knowing = [&](epoch_number epoch, const block_id& block) {
    return f.start({.known = client_options::known_end{epoch, block}});
  };
  auto client = start_knowing({3}, signing::id_of(third));
  CHECK(client.find(f.gateway.port, rich).value() == f.truth(rich));
  CHECK_FALSE(client.crossed_gap());
  // Without it, or with an older one, there is a gap.
  CHECK(reason_of(f.start({}).find(f.gateway.port, rich)) == distrust::unsafe_gap);
  auto older = start_knowing({1}, signing::id_of(f.chain.headers[1]));
  CHECK(reason_of(older.find(f.gateway.port, rich)) == distrust::unsafe_gap);
  // Another history, of which nothing is kept.
  auto other = start_knowing({3}, signing::id_of(f.chain.headers[2]));
  CHECK(reason_of(other.find(f.gateway.port, rich)) == distrust::other_history);
  CHECK(other.epoch().value == 0);
  // A chain that has not come so far.
  auto later = start_knowing({5}, signing::id_of(third));
  CHECK(reason_of(later.find(f.gateway.port, rich)) == distrust::stale);
}

TEST_CASE("a genesis with another hash is refused, and so is a silent gateway") {
  fixture f;
  f.chain.pay(5);
  const auto wrong =
      verified_ledger::start(chain_id{{1}}, f.gateway.port, f.clock(), {.accept_gap = true});
  CHECK(reason_of(wrong) == distrust::wrong_genesis);
  auto client = f.start();
  fetch_port silent = f.gateway.port;
  silent.proven_rows = [](const auto&) -> fetched {
    return make_unexpected(fetch_failure::silent);
  };
  silent.genesis = []() -> fetched { return make_unexpected(fetch_failure::silent); };
  CHECK(reason_of(client.find(silent, rich)) == distrust::silent);
  CHECK(reason_of(verified_ledger::start(f.chain.chain(), silent, f.clock())) == distrust::silent);
  // The same trust goes on with another gateway.
  CHECK(client.find(f.gateway.port, rich).value() == f.truth(rich));
}

TEST_CASE("what was kept goes on from where it was, with the same protection") {
  fixture f;
  f.chain.pay(5);
  f.chain.close_epoch(1);
  auto client = f.start();
  REQUIRE(client.catch_up(f.gateway.port).has_value());
  // The newest block has closed the epoch, whose committee is still the known one.
  auto at_end = verified_ledger::resume(f.chain.chain(), client.kept(), f.clock());
  REQUIRE(at_end.has_value());
  CHECK(at_end->header() == client.header());
  f.chain.pay(5);
  for (auto* one : {&client, &*at_end}) {
    CHECK(one->find(f.gateway.port, rich).value() == f.truth(rich));
    const auto kept = one->kept();
    const auto again = verified_ledger::resume(f.chain.chain(), kept, f.clock());
    REQUIRE(again.has_value());
    CHECK(again->kept() == kept);
    CHECK(again->header() == f.chain.headers.back());
    CHECK(again->epoch().value == 1);
    CHECK(reason_of(verified_ledger::resume(chain_id{{1}}, kept, f.clock())) ==
          distrust::other_network);
  }
}
