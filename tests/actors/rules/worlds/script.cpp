#include "tests/actors/rules/worlds/script.hpp"

#include <ostream>
#include <sstream>

#include "tests/actors/rules/dice.hpp"
#include "tests/actors/rules/worlds/people.hpp"

namespace soma::test {
namespace {

std::string who(const address& a) {
  const auto person = person_at(a);
  if (!person) return a.short_text();
  std::string name = "p";
  return name += std::to_string(*person);
}
std::string whose(const pool_owner& pool) {
  if (const auto* model = std::get_if<model_id>(&pool))
    return std::string("model ").append(model->short_text());
  return std::string("validator ").append(who(std::get<address>(pool)));
}
std::string key_name(const public_key& key) {
  return who(crypto::address_of(key));
}

struct describer {
  std::ostream& out;
  void operator()(const tx::transfer& t) {
    out << "transfer " << t.amount.value << " to " << who(t.to);
  }
  void operator()(const tx::commit_model& t) {
    out << "commit_model " << (t.model ? t.model->short_text() : "new") << " stake "
        << t.stake.value << " commission " << t.commission_bps << " size " << t.manifest.size_bytes;
  }
  void operator()(const tx::reveal_model& t) {
    out << "reveal_model " << t.model.short_text() << " embedding of " << t.embedding.size();
  }
  void operator()(const tx::retire_model& t) { out << "retire_model " << t.model.short_text(); }
  void operator()(const tx::vote_on_model& t) {
    out << "vote_on_model " << t.version.model.short_text() << " v" << t.version.version
        << " verdict " << static_cast<int>(t.verdict);
  }
  void operator()(const tx::claim_target& t) {
    out << "claim_target " << t.target.short_text() << " for " << t.winner.model.short_text()
        << " v" << t.winner.version << " loss bits " << t.loss_bits << " distance "
        << t.distance_q30 << " size " << t.size_bytes;
  }
  void operator()(const tx::reveal_data& t) {
    out << "reveal_data " << t.target.short_text() << " data " << t.data.short_text();
  }
  void operator()(const tx::vote_on_submission& t) {
    out << "vote_on_submission " << t.target.short_text() << " verdict "
        << static_cast<int>(t.verdict);
  }
  void operator()(const tx::add_stake& t) {
    out << "add_stake " << t.amount.value << " to " << whose(t.pool);
  }
  void operator()(const tx::withdraw_stake& t) {
    out << "withdraw_stake " << t.shares << " shares of " << whose(t.pool);
  }
  void operator()(const tx::set_commission& t) {
    out << "set_commission " << t.commission_bps << " of " << whose(t.pool);
  }
  void operator()(const tx::join_committee& t) {
    out << "join_committee with key of " << key_name(t.consensus_key) << " stake " << t.stake.value;
  }
  void operator()(const tx::leave_committee&) { out << "leave_committee"; }
  void operator()(const tx::commit_onion& t) {
    out << "commit_onion " << t.number << " layer " << t.layer.short_text();
  }
  void operator()(const tx::report_equivocation& t) {
    out << "report_equivocation of " << key_name(t.signer) << ", statements of "
        << t.first_statement.size() << " and " << t.second_statement.size() << " bytes";
  }
};

}  // namespace

transaction_id name_of_transaction(std::uint64_t seed, std::uint64_t serial) {
  return id_from<transaction_id>(seed * 0x10001 + serial * 2 + 1);
}

block_id name_of_block(std::uint64_t seed, block_height height) {
  return id_from<block_id>(~(seed * 0x10001 + height.value * 2));
}

std::string describe(const step& s) {
  std::ostringstream out;
  if (s.kind == step::what::block) {
    out << "block after " << s.time_step_ms << " ms";
    if (s.shuffle != 0) out << ", shuffled by " << s.shuffle;
    if (s.absent != 0) out << ", absent " << s.absent;
    if (s.odd_signers) out << ", odd signers";
    if (s.proposer != 0) out << ", proposed by " << s.proposer;
    return out.str();
  }
  out << '#' << s.serial << ' ';
  if (s.kind == step::what::replay) {
    out << "again";
    return out.str();
  }
  out << 'p' << s.sender << ": ";
  std::visit(describer{out}, s.body);
  if (s.nonce_off != 0) out << ", nonce off by " << s.nonce_off;
  if (s.expiry_off != 5) out << ", expires in " << s.expiry_off;
  if (s.wrong_chain) out << ", wrong chain";
  if (s.known) out << ", " << rules::name_of(*s.known);
  return out.str();
}

std::ostream& operator<<(std::ostream& out, const script& s) {
  const auto& p = s.genesis.parameters;
  out << "seed " << s.seed << ": " << s.genesis.validators.size() << " validators, epoch "
      << p.epoch_ms << " ms, fees " << p.base_fee << '+' << p.row_fee << '*' << p.value_fee_bps
      << " (multiplier " << p.fee_multiplier_start_ppm << "), least stakes "
      << p.min_model_stake.value << ' ' << p.min_validator_stake.value << ", slashes "
      << p.missed_reveal_slash_bps << ' ' << p.bad_model_slash_bps << ' '
      << p.equivocation_slash_bps << ", committee " << p.committee_size << ", unbonding "
      << p.model_unbonding_epochs << ' ' << p.validator_unbonding_epochs << ", window "
      << p.reveal_window_blocks << ", extensions " << p.max_audit_extensions << '\n';
  for (const auto& each : s.steps) out << "  " << describe(each) << '\n';
  return out;
}

}  // namespace soma::test
