#include "deploy/soma/bench/bench_consensus_member.hpp"

#include <time.h>

#include <algorithm>

#include "actors/rules/genesis_state.hpp"
#include "actors/wallet/wallet.hpp"
#include "deploy/soma/shell/stop.hpp"
#include "messages/codec/codec.hpp"
#include "messages/codec/codec_consensus.hpp"
#include "messages/crypto/bare_verifier.hpp"
#include "messages/crypto/hash.hpp"
#include "messages/signing/signing.hpp"
#include "messages/values/assert.hpp"

namespace soma::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t accounts = 256;

crypto::key_pair key_of(std::uint64_t seed, std::string_view label, std::uint64_t number) {
  return crypto::key_pair::from_seed(
      crypto::tagged_hash(label).add_u64(seed).add_u64(number).finish().value);
}

std::unique_ptr<tables::ledger_store> new_ledger(const fs::path& folder,
                                                 const soma::genesis& genesis) {
  auto made = std::make_unique<tables::ledger_store>(folder);
  made->init(encode(genesis), rules::genesis_rows(genesis));
  return made;
}

}  // namespace

std::vector<crypto::key_pair> make_validators(std::uint32_t count, std::uint64_t seed) {
  std::vector<crypto::key_pair> all;
  for (std::uint32_t i = 0; i < count; ++i) all.push_back(key_of(seed, "bench.validator", i));
  return all;
}

consensus_offer make_offer(const std::vector<public_key>& validators, std::uint64_t start_ms,
                           double transactions_per_s, double seconds, std::uint64_t seed) {
  consensus_offer out;
  out.genesis.name = "bench";
  out.genesis.start_ms = start_ms;
  out.genesis.parameters.architecture = {1, 16, 1, 16, 16};
  for (const auto& key : validators) {
    out.genesis.validators.push_back({key, out.genesis.parameters.min_validator_stake});
  }
  std::vector<crypto::key_pair> keys;
  for (std::size_t i = 0; i < accounts; ++i) {
    keys.push_back(key_of(seed, "bench.account", i));
    out.genesis.accounts.push_back(
        {crypto::address_of(keys.back().public_half()), {1'000 * shannons_per_soma}});
  }
  const auto chain = signing::chain_id_of(out.genesis);
  const auto count = static_cast<std::size_t>(transactions_per_s * seconds);
  for (std::size_t i = 0; i < count; ++i) {
    leave_if_stop_requested();
    auto made = wallet::make_signed_transaction(
        keys[i % accounts], chain, i / accounts, epoch_number{2},
        tx::transfer{crypto::address_of(keys[(i + 1) % accounts].public_half()), {1'000}});
    offered_transaction one;
    one.sent = std::move(made.sent);
    one.id = made.id;
    one.by = made.content.sender;
    one.at_us = static_cast<std::uint64_t>(static_cast<double>(i) * 1e6 / transactions_per_s);
    one.to = static_cast<std::uint32_t>(i % validators.size());
    out.numbers.emplace(one.id, i);
    out.all.push_back(std::move(one));
  }
  return out;
}

double seconds_to_verify(const consensus_offer& offer, std::size_t count) {
  std::vector<crypto::bare_verifier::item> items;
  for (std::size_t i = 0; i < count; ++i) {
    const auto& one = offer.all[i];
    items.push_back({one.by, hash256{one.id.value}, one.sent.by_sender});
  }
  const crypto::bare_verifier alone(items);
  const auto start = thread_seconds();
  SOMA_ASSERT(alone.run() == count, "the load's own signatures hold");
  return thread_seconds() - start;
}

double thread_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

std::optional<std::string> read_ledgers(const std::vector<const tables::ledger_store*>& ledgers,
                                        block_height from, consensus_figures& into) {
  auto last = ledgers.front()->view().height();
  for (const auto* one : ledgers) last = std::min(last, one->view().height());
  std::uint64_t signatures = 0, with_signatures = 0;
  for (auto height = from.next(); height <= last; height = height.next()) {
    const auto block = ledgers.front()->block_at(height).value();
    for (const auto* other : ledgers) {
      if (other == ledgers.front() || other->block_at(height)->header == block.header) continue;
      return "two ledgers differ at height " + std::to_string(height.value);
    }
    ++into.blocks;
    into.payload_bytes += block.header.payload_bytes;
    signatures += block.parent_signers.count();
    // The first block of an epoch carries no signatures for its parent.
    with_signatures += block.parent_signers.empty() ? 0 : 1;
  }
  if (with_signatures != 0) {
    into.signatures_per_block =
        static_cast<double>(signatures) / static_cast<double>(with_signatures);
  }
  return std::nullopt;
}

consensus_member::consensus_member(const consensus_offer& load, const crypto::key_pair& key,
                                   std::uint32_t number, const fs::path& folder)
    : load_(load),
      ledger_(new_ledger(folder / "ledger", load.genesis)),
      work_(*ledger_, load.genesis),
      signer_(key, signing::chain_id_of(load.genesis)),
      checker_(signing::chain_id_of(load.genesis)),
      archive_(*ledger_) {
  const auto chain = signing::chain_id_of(load.genesis);
  votes::voting_record_store::create(folder / "votes", chain, signer_.key());
  auto past = votes::voting_record_store::open(folder / "votes", chain, signer_.key());
  votes_ = std::move(past.store);
  consensus::simplex_options pace;
  pace.seed = number + 1;
  runner_ = std::make_unique<consensus::runner>(
      consensus::simplex(execution::position_of(ledger_->view(), load.genesis, work_.tree().root()),
                         {consensus::record_state::fresh, std::move(past.record)},
                         {signer_, checker_, *this, archive_}, pace),
      static_cast<consensus::effect_ports&>(*this));
}

void consensus_member::take(std::size_t number) {
  // A validator that receives a transaction verifies its signature before it keeps anything. This
  // work has to be part of what is measured.
  const auto read = rules::read_transaction(load_.all[number].sent);
  if (read.known) fail("a transaction of the benchmark's own is refused");
  if (!done_.contains(number)) waiting_.insert(number);
}

void consensus_member::fail(std::string why) {
  trouble = std::move(why);
  runner_->stop();
}

void consensus_member::run(consensus::event first, std::uint64_t now_ms) {
  runner_->run(std::move(first), now_ms);
}

std::vector<signed_transaction> consensus_member::next_payload(
    const std::vector<block_ptr>& ancestors, std::size_t max_bytes, std::size_t max_count) const {
  std::set<transaction_id> taken;
  for (const auto& one : ancestors) {
    for (const auto& sent_before : one->block.payload) taken.insert(signing::id_of(sent_before));
  }
  std::vector<signed_transaction> out;
  std::size_t size = 0;
  for (const auto number : waiting_) {
    const auto& one = load_.all[number];
    if (taken.contains(one.id)) continue;
    size += consensus::payload_size(one.sent);
    if (out.size() == max_count || size > max_bytes) break;
    out.push_back(one.sent);
  }
  return out;
}

void consensus_member::apply(consensus::persist wanted) {
  votes_->write(wanted.batch);
  runner_->answer(consensus::stored{wanted.ticket});
}

void consensus_member::apply(consensus::send wanted) {
  auto counted = &agreement_bytes::others;
  if (std::holds_alternative<peer::proposal>(*wanted.message)) {
    counted = &agreement_bytes::proposals;
  } else if (std::holds_alternative<peer::vote>(*wanted.message)) {
    counted = &agreement_bytes::votes;
  } else if (std::holds_alternative<peer::certified>(*wanted.message)) {
    counted = &agreement_bytes::certificates;
  }
  sent.push_back({wanted.to, std::make_shared<const bytes>(encode(*wanted.message)), counted});
}

void consensus_member::apply(consensus::set_timer wanted) {
  timers_set.push_back(wanted);
}

void consensus_member::apply(consensus::execute wanted) {
  auto begun = work_.begin(wanted.candidate);
  if (!begun) {
    fail("a block cannot be executed: " + std::string(to_text(begun.error())));
    return;
  }
  auto* result = std::get_if<consensus::execution_result>(&*begun);
  if (result == nullptr) {
    fail("a block needs targets, but this benchmark draws no targets");
    return;
  }
  runner_->answer(consensus::executed{wanted.ticket, std::move(*result)});
}

void consensus_member::apply(consensus::commit wanted) {
  for (const auto& one : wanted.blocks) {
    const auto done = work_.commit(one.block->id);
    ledger_->commit_block(one.block->block, done.changes, done.events, one.final, one.epoch_end);
    for (const auto& came_of_it : done.outcomes) {
      const auto found = load_.numbers.find(came_of_it.id);
      if (found == load_.numbers.end()) continue;
      if (came_of_it.reason)
        fail("a transaction of the benchmark's own was refused: " +
             std::string(rules::to_text(*came_of_it.reason)));
      waiting_.erase(found->second);
      done_.insert(found->second);
      now_final.push_back(found->second);
    }
  }
  runner_->answer(consensus::committed{wanted.ticket});
}

void consensus_member::apply(consensus::base_moved wanted) {
  work_.keep_only(wanted.base);
}

void consensus_member::apply(consensus::report) {
  fail("the consensus core reports a validator's misconduct");
}

void consensus_member::apply(consensus::blame wanted) {
  fail("blamed: " + wanted.why);
}

void consensus_member::apply(consensus::alarm wanted) {
  fail("alarm: " + wanted.why);
}

}  // namespace soma::cli
