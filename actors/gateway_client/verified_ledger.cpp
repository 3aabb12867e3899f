#include "actors/gateway_client/verified_ledger.hpp"

#include <algorithm>

#include "actors/rules/genesis_state.hpp"
#include "actors/state_tree/state_proof.hpp"
#include "messages/codec/codec.hpp"
#include "messages/signing/signing.hpp"
#include "messages/values/assert.hpp"

namespace soma::gateway_client {
namespace {

/// How many proofs of epochs one question asks for. The answer has fewer when they are large.
constexpr std::uint32_t epochs_a_question = 256;

class vote_checker final : public consensus::signature_checker {
 public:
  explicit vote_checker(const chain_id& chain) : chain_(chain) {}
  bool block_is_signed(const public_key& by, const block_id& block, const signature& s) override {
    return signing::verify_block(by, block, s);
  }
  bool vote_is_signed(const public_key& by, const vote_statement& vote,
                      const signature& s) override {
    return signing::verify_vote(by, chain_, vote, s);
  }

 private:
  chain_id chain_;
};

unexpected<refusal> no(distrust reason, std::string detail = {}) {
  return make_unexpected(refusal{reason, std::move(detail), std::nullopt});
}

distrust reason_of(consensus::light_refusal why) {
  using consensus::light_refusal;
  switch (why) {
    case light_refusal::header_count:
      return distrust::malformed;
    case light_refusal::other_chain:
      return distrust::other_chain;
    case light_refusal::other_epoch:
      return distrust::missing_epochs;
    case light_refusal::filler:
    case light_refusal::not_closing:
    case light_refusal::not_filler:
    case light_refusal::filler_differs:
    case light_refusal::not_linked:
    case light_refusal::not_final:
    case light_refusal::other_block:
      return distrust::wrong_headers;
    case light_refusal::bad_certificate:
      return distrust::bad_certificate;
    case light_refusal::committee_differs:
    case light_refusal::bad_committee:
      return distrust::wrong_committee;
    case light_refusal::contradicts_before:
      return distrust::contradiction;
  }
  return distrust::wrong_headers;
}
unexpected<refusal> no(consensus::light_refusal why) {
  return no(reason_of(why), std::string(consensus::to_text(why)));
}

/// Checks what an entry says of its key against a state root that is proven.
expected<void, refusal> check_row(const answered_rows::entry& row, const state_root& root) {
  using state_tree::proof_refusal;
  const auto value = row.value ? std::optional<byte_view>(*row.value) : std::nullopt;
  const auto held = state_tree::verify(row.proof, row.key, value, root);
  if (held) return {};
  const auto reason = [&] {
    switch (held.error()) {
      case proof_refusal::row_present:
        return distrust::forged_absence;
      case proof_refusal::row_absent:
      case proof_refusal::value_differs:
        return distrust::forged_row;
      default:
        return distrust::wrong_root;
    }
  }();
  return no(reason, std::string(state_tree::to_text(held.error())));
}

bool comes_before(byte_view a, byte_view b) {
  return std::ranges::lexicographical_compare(a, b);
}

/// The trust in a genesis that a person has named by its hash.
kept_trust trust_in(const genesis& genesis, const chain_id& network) {
  kept_trust trust;
  trust.chain = network;
  trust.trust_period_ms =
      genesis.parameters.validator_unbonding_epochs * genesis.parameters.epoch_ms;
  trust.since_ms = genesis.start_ms;
  for (const auto& row : rules::genesis_rows(genesis)) {
    if (row.key != committee_key()) continue;
    trust.seats = decode<committee_row>(row.value.value()).value().seats;
  }
  SOMA_ASSERT(consensus::can_be_committee(trust.seats), "a valid genesis has a committee");
  return trust;
}

}  // namespace

verified_ledger::verified_ledger(kept_trust trust, clock now_ms, client_options options)
    : chain_(trust.chain),
      trust_period_ms_(trust.trust_period_ms),
      first_since_ms_(trust.since_ms),
      now_ms_(std::move(now_ms)),
      options_(options),
      light_(trust.chain, trust.epoch, std::move(trust.seats), std::move(trust.proven)) {}

expected<verified_ledger, refusal> verified_ledger::start(const chain_id& network,
                                                          const fetch_port& gateway, clock now_ms,
                                                          client_options options) {
  const auto genesis = read_genesis(gateway.genesis());
  if (!genesis) return make_unexpected(genesis.error());
  const auto found = signing::chain_id_of(*genesis);
  if (found != network) return no(distrust::wrong_genesis, found.text());
  if (const auto bad = rules::check_genesis(*genesis)) {
    return no(distrust::wrong_genesis, std::string(rules::to_text(*bad)));
  }
  return verified_ledger(trust_in(*genesis, network), std::move(now_ms), options);
}

expected<verified_ledger, refusal> verified_ledger::resume(const chain_id& network, byte_view kept,
                                                           clock now_ms, client_options options) {
  auto trust = decode_kept(kept, network);
  if (!trust) return make_unexpected(std::move(trust.error()));
  return verified_ledger(std::move(*trust), std::move(now_ms), options);
}

bytes verified_ledger::kept() const {
  return encode_kept({chain_, trust_period_ms_, since_ms(), light_.epoch(),
                      light_.members().seats(), light_.proven()});
}

block_height verified_ledger::height() const {
  return header() ? header()->height : block_height{};
}

std::uint64_t verified_ledger::since_ms() const {
  return header() ? header()->time_ms : first_since_ms_;
}

std::uint64_t verified_ledger::age_ms() const {
  const auto now = now_ms_(), since = since_ms();
  return now > since ? now - since : 0;
}

/// The members of a committee can be punished for what they sign only while their stake is held.
expected<void, refusal> verified_ledger::cross_gap(std::uint64_t since_ms) {
  const auto now = now_ms_();
  if (now <= since_ms || now - since_ms <= trust_period_ms_) return {};
  if (!options_.accept_gap) return no(distrust::unsafe_gap);
  crossed_gap_ = true;
  return {};
}

expected<void, refusal> verified_ledger::check_fresh(const block_header& header) const {
  const auto now = now_ms_();
  if (now > header.time_ms && now - header.time_ms > options_.max_age_ms) {
    return no(distrust::stale,
              "its block is " + std::to_string((now - header.time_ms) / 1'000) + " s old");
  }
  return {};
}

expected<void, refusal> verified_ledger::take_end(consensus::light_client& at,
                                                  const epoch_proof& proof) {
  const bool is_known = options_.known && at.epoch() == options_.known->epoch;
  vote_checker checker(chain_);
  const auto taken = at.next_epoch(proof, checker);
  if (!taken) return no(taken.error());
  if (!is_known) return {};
  const auto& closing = proof.headers.front();
  if (signing::id_of(closing) != options_.known->block) return no(distrust::other_history);
  return cross_gap(closing.time_ms);
}

/// Until the block that a person knows has come, what is proven may be the history of others. So it
/// is kept only from then on.
expected<void, refusal> verified_ledger::follow_epochs(const fetch_port& gateway,
                                                       epoch_number until) {
  auto next = light_;
  while (next.epoch() < until) {
    const auto proofs = read_epoch_proofs(
        gateway.epoch_proofs(message<schema::GetEpochProofs>::build([&](auto out) {
          out.setFrom(next.epoch().value);
          out.setMost(static_cast<std::uint32_t>(
              std::min<std::uint64_t>(epochs_a_question, until.value - next.epoch().value)));
        })));
    if (!proofs && proofs.error().declined == schema::LedgerRefusal::NOT_THERE_YET) {
      // It showed a header of an epoch that has not begun.
      auto refused = proofs.error();
      refused.reason = distrust::missing_epochs;
      return make_unexpected(std::move(refused));
    }
    if (!proofs) return make_unexpected(proofs.error());
    // The list is not empty, and each proof either moves the epoch or ends the loop.
    for (const auto& proof : *proofs) {
      if (auto taken = take_end(next, proof); !taken) return taken;
      if (!awaits_known(next)) light_ = next;
    }
  }
  return {};
}

/// Proves the first header of an answer, unless it is the highest one that was proven before.
expected<void, refusal> verified_ledger::believe(const fetch_port& gateway,
                                                 const answered_rows& answer) {
  const auto& claimed = answer.headers.front();
  if (claimed.chain != chain_) return no(distrust::other_chain);
  if (awaits_known(light_)) {
    if (claimed.epoch <= options_.known->epoch) {
      return no(distrust::stale, "it has not reached the block that is known");
    }
  } else if (auto safe = cross_gap(since_ms()); !safe) {
    return safe;
  }
  const bool is_behind = claimed.height < height() &&
                         height().value - claimed.height.value > options_.max_blocks_behind;
  if (is_behind || (claimed.epoch < light_.epoch() && claimed != header())) {
    return no(distrust::stale, "it is at height " + std::to_string(claimed.height.value) +
                                   ", and " + std::to_string(height().value) + " is proven");
  }
  if (claimed != header()) {
    if (auto followed = follow_epochs(gateway, claimed.epoch); !followed) return followed;
  }
  // The end of an epoch proves the header of its closing block.
  if (claimed != header()) {
    vote_checker checker(chain_);
    const auto held = light_.prove(answer.headers, answer.final, checker);
    if (!held) return no(held.error());
  }
  return check_fresh(claimed);
}

expected<answered_rows, refusal> verified_ledger::ask(const fetch_port& gateway,
                                                      const message<schema::GetProvenRows>& asked) {
  auto answer = read_rows(gateway.proven_rows(asked));
  if (!answer) return answer;
  if (auto believed = believe(gateway, *answer); !believed) {
    return make_unexpected(std::move(believed.error()));
  }
  for (const auto& row : answer->rows) {
    if (auto held = check_row(row, answer->headers.front().state_root); !held) {
      return make_unexpected(std::move(held.error()));
    }
  }
  return answer;
}

message<schema::GetProvenRows> verified_ledger::question(std::span<const row_key> keys) {
  SOMA_ASSERT(!keys.empty() && keys.size() <= max_keys, "1 to 256 keys");
  return message<schema::GetProvenRows>::build([&](auto out) {
    auto list = out.initKeys(static_cast<unsigned>(keys.size()));
    for (unsigned i = 0; i < keys.size(); ++i) {
      SOMA_ASSERT(!keys[i].empty() && keys[i].size() <= max_key_bytes, "a key of 1 to 96 bytes");
      list.set(i, data_of(keys[i]));
    }
  });
}

message<schema::GetProvenRows> verified_ledger::question(byte_view prefix, byte_view after,
                                                         std::uint32_t most) {
  SOMA_ASSERT(!prefix.empty() && prefix.size() <= max_key_bytes, "a prefix of 1 to 96 bytes");
  SOMA_ASSERT(most >= 1 && most <= max_keys && after.size() <= max_key_bytes, "1 to 256 rows");
  return message<schema::GetProvenRows>::build([&](auto out) {
    out.setPrefix(data_of(prefix));
    out.setAfter(data_of(after));
    out.setMost(most);
  });
}

expected<proven_rows, refusal> verified_ledger::find_many(const fetch_port& gateway,
                                                          std::span<const row_key> keys) {
  const auto answer = ask(gateway, question(keys));
  if (!answer) return make_unexpected(answer.error());
  const auto count = answer->rows.size();
  if (count == 0 || count > keys.size() || (count < keys.size()) != answer->more) {
    return no(distrust::other_answer);
  }
  proven_rows found{answer->headers.front(), {}, {}};
  for (std::size_t i = 0; i < count; ++i) {
    if (answer->rows[i].key != keys[i]) return no(distrust::other_answer);
    found.values.push_back(answer->rows[i].value);
    found.proofs.push_back(answer->rows[i].proof);
  }
  return found;
}

expected<std::optional<bytes>, refusal> verified_ledger::find(const fetch_port& gateway,
                                                              byte_view key) {
  const row_key wanted(key.begin(), key.end());
  auto found = find_many(gateway, {&wanted, 1});
  if (!found) return make_unexpected(std::move(found.error()));
  return std::move(found->values.front());
}

expected<proven_page, refusal> verified_ledger::page(const fetch_port& gateway, byte_view prefix,
                                                     byte_view after, std::uint32_t most) {
  auto answer = ask(gateway, question(prefix, after, most));
  if (!answer) return make_unexpected(std::move(answer.error()));
  proven_page found{answer->headers.front(), {}, answer->more};
  if (answer->rows.size() > most || (answer->rows.empty() && answer->more)) {
    return no(distrust::other_answer);
  }
  row_key last(after.begin(), after.end());
  for (auto& row : answer->rows) {
    const bool begins = row.key.size() >= prefix.size() &&
                        std::ranges::equal(byte_view(row.key).first(prefix.size()), prefix);
    if (!begins || !row.value || (!last.empty() && !comes_before(last, row.key))) {
      return no(distrust::other_answer);
    }
    last = row.key;
    found.rows.emplace_back(std::move(row.key), std::move(*row.value));
  }
  return found;
}

expected<block_header, refusal> verified_ledger::catch_up(const fetch_port& gateway) {
  const std::vector<row_key> keys{chain_key()};
  const auto found = find_many(gateway, keys);
  if (!found) return make_unexpected(found.error());
  return found->header;
}

}  // namespace soma::gateway_client
