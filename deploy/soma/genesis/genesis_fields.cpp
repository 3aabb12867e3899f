#include "deploy/soma/genesis/genesis_fields.hpp"

#include <charconv>

#include "deploy/soma/shell/units.hpp"
#include "model/weights/architectures.hpp"

namespace soma::cli {
namespace {

// This fails when a parameter is added, so that it is not forgotten in the list below.
static_assert(sizeof(genesis_parameters) == 232);

template <class Number>
bool parse_number(const std::string& text, Number& into) {
  Number number{};
  const auto* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, number);
  if (read.ec != std::errc() || read.ptr != end) return false;
  into = number;
  return true;
}

template <class Number>
genesis_field number(std::string_view name, Number genesis_parameters::*member,
                     std::string_view what) {
  return {name, what,
          [member](genesis_parameters& p, const std::string& text) {
            return parse_number(text, p.*member);
          },
          [member](const genesis_parameters& p) { return std::to_string(p.*member); },
          [member](const genesis_parameters& p) { return json(p.*member); }};
}

genesis_field power(std::string_view name, voting_power genesis_parameters::*member,
                    std::string_view what) {
  return {name, what,
          [member](genesis_parameters& p, const std::string& text) {
            return parse_number(text, (p.*member).value);
          },
          [member](const genesis_parameters& p) { return std::to_string((p.*member).value); },
          [member](const genesis_parameters& p) { return json((p.*member).value); }};
}

genesis_field amount(std::string_view name, shannons genesis_parameters::*member,
                     std::string_view what) {
  return {name,
          what,
          [member](genesis_parameters& p, const std::string& text) {
            const auto parsed = parse_amount(text);
            if (parsed) p.*member = *parsed;
            return parsed.has_value();
          },
          [member](const genesis_parameters& p) { return to_text(p.*member); },
          [member](const genesis_parameters& p) { return json((p.*member).value); },
          true};
}

genesis_field architecture() {
  return {"architecture",
          "that of every model: tiny, small, base, v1 or layers,dim,heads,ffn,max_seq",
          [](genesis_parameters& p, const std::string& text) {
            const auto parsed = weights::parse_architecture(text);
            if (parsed) p.architecture = *parsed;
            return parsed.has_value();
          },
          [](const genesis_parameters& p) { return weights::to_text(p.architecture); },
          [](const genesis_parameters& p) { return json(weights::to_text(p.architecture)); }};
}

}  // namespace

const std::vector<genesis_field>& genesis_fields() {
  using p = genesis_parameters;
  static const std::vector<genesis_field> all{
      architecture(),
      number("epoch_ms", &p::epoch_ms, "length of an epoch in milliseconds"),
      number("emission_epochs", &p::emission_epochs,
             "number of epochs over which the emission pool is released"),
      number("target_share_bps", &p::target_share_bps,
             "share of the emission for targets; validators get the rest"),
      number("base_fee", &p::base_fee, "shannons for a transaction at multiplier 1"),
      number("byte_fee", &p::byte_fee,
             "shannons for each byte of a transaction at multiplier 1, refused or not"),
      number("row_fee", &p::row_fee, "shannons for each row written at multiplier 1"),
      number("row_byte_fee", &p::row_byte_fee,
             "shannons for each byte of a new row at multiplier 1"),
      number("value_fee_bps", &p::value_fee_bps, "share of the amount of transfers and stakes"),
      number("fee_multiplier_start_ppm", &p::fee_multiplier_start_ppm,
             "fee multiplier in epoch 0, without congestion"),
      number("fee_multiplier_min_ppm", &p::fee_multiplier_min_ppm, "lowest fee multiplier"),
      number("fee_multiplier_max_ppm", &p::fee_multiplier_max_ppm, "highest fee multiplier"),
      number("burn_bps_per_year", &p::burn_bps_per_year,
             "share of the circulating supply that is burned as fees"),
      amount("min_model_stake", &p::min_model_stake, "least own stake of a model"),
      amount("min_validator_stake", &p::min_validator_stake, "least own stake of a validator"),
      number("max_commission_step_bps", &p::max_commission_step_bps,
             "how much a commission may rise in an epoch"),
      number("missed_reveal_slash_bps", &p::missed_reveal_slash_bps, "share of a new model's pool"),
      number("bad_model_slash_bps", &p::bad_model_slash_bps, "share of a bad model's pool"),
      number("equivocation_slash_bps", &p::equivocation_slash_bps, "share of a validator's pool"),
      number("committee_size", &p::committee_size, "most members of the committee"),
      power("max_power", &p::max_power,
            "most power of a member; 10000 means that stake alone decides"),
      number("model_unbonding_epochs", &p::model_unbonding_epochs,
             "epochs from leaving a model's pool to being paid"),
      number("validator_unbonding_epochs", &p::validator_unbonding_epochs,
             "epochs from leaving a validator's pool to being paid"),
      number("models_per_target", &p::models_per_target, "models assigned to each target"),
      number("initial_targets", &p::initial_targets, "targets that are open when an epoch begins"),
      number("hits_wanted", &p::hits_wanted,
             "number of targets that the difficulty lets be hit in an epoch"),
      number("stake_bonus_ppm", &p::stake_bonus_ppm,
             "part of a standard deviation, for the most stake"),
      number("difficulty_start_ppm", &p::difficulty_start_ppm,
             "z of the first radius; a higher value is harder"),
      number("max_data_bytes", &p::max_data_bytes, "most bytes of a submission"),
      number("max_audit_products", &p::max_audit_products,
             "most multiplications of an audit; they may allow fewer bytes"),
      number("bond_per_byte", &p::bond_per_byte,
             "least bond of a submission, in shannons for each byte"),
      number("bond_reward_divisor", &p::bond_reward_divisor,
             "a bond is at least the reward divided by this"),
      number("reveal_window_blocks", &p::reveal_window_blocks,
             "most blocks from a claim to its reveal"),
      number("max_audit_extensions", &p::max_audit_extensions,
             "most epochs by which an undecided audit is put off"),
  };
  return all;
}

const genesis_field* find_genesis_field(std::string_view name) {
  for (const auto& field : genesis_fields()) {
    if (field.name == name) return &field;
  }
  return nullptr;
}

}  // namespace soma::cli
