// Facts about the ledger: where it stands, blocks, what proves them, rows.
#include <algorithm>

#include "actors/documents/rows.hpp"
#include "actors/gateway/call.hpp"
#include "messages/codec/codec.hpp"
#include "messages/codec/codec_consensus.hpp"
#include "messages/codec/codec_proofs.hpp"
#include "messages/codec/model_entry.hpp"
#include "messages/signing/signing.hpp"
#include "messages/wire/refusals.hpp"

namespace soma::gateway {
namespace {

using json::value;

constexpr std::uint32_t usual_limit = 100;
constexpr std::uint32_t most_rows = 256;

value hex(capnp::Data::Reader data) {
  return "0x" + to_hex(view_of(data));
}

/// Sends an answer of the validator: its bytes, or the document that `show` makes of it.
template <class Reply, class Show>
void reply_with(const call& to, const message<Reply>& reply, Show show) {
  if (to.wanted() == format::message) return reply_bytes(to, message_type, reply.bytes());
  if constexpr (requires { reply.root().getRefusal(); }) {
    if (is_refused(reply.root().getRefusal())) {
      return reply_refused(to, reply.root().getRefusal());
    }
  }
  reply_json(to, show(reply.root()));
}

template <class Reply, class Request, class Show>
void ask_and_show(self_pointer self, const call_ptr& asked, const message<Request>& question,
                  Show show) {
  ask<Reply>(self, asked, question,
             [asked, show](const message<Reply>& reply) { reply_with(*asked, reply, show); });
}

value network_json(const soma::genesis& genesis, schema::ChainStatus::Reader status,
                   std::string_view build) {
  return value::of({{"name", genesis.name},
                    {"chain", hex(status.getChain())},
                    {"height", status.getHeight()},
                    {"last_block", hex(status.getLastBlock())},
                    {"state_root", hex(status.getStateRoot())},
                    {"time_ms", status.getTimeMs()},
                    {"epoch", status.getEpoch()},
                    {"epoch_start_ms", status.getEpochStartMs()},
                    {"epoch_end_ms", status.getEpochStartMs() + genesis.parameters.epoch_ms},
                    {"open_targets", status.getOpenTargets()},
                    {"pending_transactions", status.getPendingTransactions()},
                    {"supply_ok", status.getSupplyOk()},
                    {"peers", status.getPeers()},
                    {"answers_version", answers_version},
                    {"build", build}});
}

void answer_network(self_pointer self, const call_ptr& asked) {
  ask<schema::ChainStatus>(self, asked, message<schema::GetChain>{},
                           [self, asked](const message<schema::ChainStatus>& status) {
                             const auto& state = self->state;
                             reply_with(*asked, status, [&](auto root) {
                               return network_json(state.genesis, root, state.options.build);
                             });
                           });
}

void answer_genesis(self_pointer self, const call_ptr& asked) {
  const auto& state = self->state;
  if (asked->wanted() == format::message) {
    return reply_bytes(*asked, message_type, state.genesis_bytes);
  }
  reply_json(*asked, value::of({{"name", state.genesis.name},
                                {"chain", signing::chain_id_of(state.genesis).text()},
                                {"bytes", "0x" + to_hex(state.genesis_bytes)}}));
}

value blocks_json(schema::FinalBlocks::Reader root) {
  auto all = value::list();
  for (const auto& data : root.getBlocks()) {
    auto one = value::object();
    if (const auto read = decode<block>(view_of(data))) {
      one = {{"height", read->header.height.value},
             {"epoch", read->header.epoch.value},
             {"id", signing::id_of(read->header).text()},
             {"parent", read->header.parent.text()},
             {"time_ms", read->header.time_ms},
             {"state_root", read->header.state_root.text()},
             {"transactions", read->payload.size()}};
    }
    one.emplace_back("bytes", hex(data));
    all.push(std::move(one));
  }
  return value::of({{"blocks", std::move(all)}, {"height", root.getHeight()}});
}

value finality_json(schema::Finality::Reader finality) {
  return value::of(
      {{"headers", hex(finality.getHeaders())}, {"certificate", hex(finality.getCertificate())}});
}

void answer_blocks(self_pointer self, const call_ptr& asked) {
  const auto height = number_in(*asked, "height", asked->argument(0));
  const auto limit = height ? limit_of(*asked, 1, most_rows) : std::nullopt;
  if (!limit) return;
  const auto question = message<schema::GetBlocks>::build([&](auto out) {
    out.setFrom(*height);
    out.setMost(*limit);
    out.setMostBytes(4U << 20U);
  });
  ask_and_show<schema::FinalBlocks>(self, asked, question, blocks_json);
}

void answer_certificates(self_pointer self, const call_ptr& asked) {
  const auto height = number_in(*asked, "height", asked->argument(0));
  if (!height) return;
  const auto question =
      message<schema::GetFinality>::build([&](auto out) { out.setHeight(*height); });
  ask_and_show<schema::FinalityAnswer>(self, asked, question, [](auto root) {
    return value::of(
        {{"finality", finality_json(root.getFinality())}, {"height", root.getHeight()}});
  });
}

void answer_epochs(self_pointer self, const call_ptr& asked) {
  const auto epoch = number_in(*asked, "epoch", asked->argument(0));
  const auto limit = epoch ? limit_of(*asked, 1, most_rows) : std::nullopt;
  if (!limit) return;
  const auto question = message<schema::GetEpochProofs>::build([&](auto out) {
    out.setFrom(*epoch);
    out.setMost(*limit);
  });
  ask_and_show<schema::EpochProofs>(self, asked, question, [](auto root) {
    auto all = value::list();
    for (const auto& proof : root.getProofs()) all.push(hex(proof));
    return value::of({{"proofs", std::move(all)}, {"epoch", root.getEpoch()}});
  });
}

/// The header that the rows of an answer are proven against; nullopt if it cannot be read.
std::optional<block_header> header_of(schema::ProvenRows::Reader root) {
  const auto layouts = view_of(root.getFinality().getHeaders());
  if (layouts.size() < header_layout_bytes) return std::nullopt;
  const auto read = decode<block_header>(layouts.first(header_layout_bytes));
  if (!read) return std::nullopt;
  return *read;
}

/// The row as the bytes of a file that `soma verify-proof` checks; empty if it cannot be read.
bytes proof_file(schema::ProvenRows::Reader root) {
  const auto header = header_of(root);
  if (!header || root.getRows().size() != 1) return {};
  const auto row = root.getRows()[0];
  const auto proof = decode<state_proof>(view_of(row.getProof()));
  if (!proof) return {};
  proven_row out{*header, bytes_of(row.getKey()), std::nullopt, *proof};
  if (row.getPresent()) out.value = bytes_of(row.getValue());
  return encode(out);
}

value row_json(schema::RowWithProof::Reader row, bool with_proof) {
  const auto key = view_of(row.getKey());
  auto out = value::of({{"table", documents::table_name(key)},
                        {"key", hex(row.getKey())},
                        {"present", row.getPresent()}});
  if (key.size() == 33) out.set("id", "0x" + to_hex(key.subspan(1)));
  if (row.getPresent()) {
    out.set("row", documents::row_fields(key, view_of(row.getValue())));
    out.set("value", hex(row.getValue()));
  }
  if (with_proof) out.set("proof", hex(row.getProof()));
  return out;
}

value rows_json(schema::ProvenRows::Reader root, bool is_page, bool with_proof) {
  const auto header = header_of(root);
  auto out = value::of({{"height", header ? header->height.value : 0},
                        {"state_root", header ? header->state_root.text() : ""}});
  if (!is_page && root.getRows().size() == 1) {
    const auto one = row_json(root.getRows()[0], with_proof);
    for (const auto& [name, member] : *one.as_object()) out.set(name, member);
  } else {
    auto rows = value::list();
    for (const auto& row : root.getRows()) rows.push(row_json(row, with_proof));
    out.set("rows", std::move(rows));
    out.set("more", root.getMore());
    // Nothing proves that a page leaves no row out.
    if (is_page) out.set("completeness_proven", false);
  }
  if (with_proof) out.set("finality", finality_json(root.getFinality()));
  return out;
}

void ask_rows(self_pointer self, const call_ptr& asked,
              const message<schema::GetProvenRows>& question, bool is_page) {
  const auto proof = switch_in(*asked, "proof");
  if (!proof) return;
  ask<schema::ProvenRows>(
      self, asked, question,
      [asked, is_page, with_proof = *proof](const message<schema::ProvenRows>& reply) {
        const auto root = reply.root();
        const bool refused = is_refused(root.getRefusal());
        if (asked->wanted() == format::file && !refused) {
          return reply_bytes(*asked, bytes_type, proof_file(root));
        }
        // A thing that is not there is an error for people, unless they want its absence proven.
        const bool is_absent = !refused && !is_page && !with_proof &&
                               asked->what->is_of_one_thing && root.getRows().size() == 1 &&
                               !root.getRows()[0].getPresent();
        if (is_absent && asked->wanted() == format::json) {
          return reply_error(*asked, 404, "not_there",
                             "the ledger has no such row; with ?proof its absence is proven");
        }
        reply_with(*asked, reply,
                   [&](auto shown) { return rows_json(shown, is_page, with_proof); });
      });
}

void ask_one(self_pointer self, const call_ptr& asked, byte_view key) {
  ask_rows(self, asked, message<schema::GetProvenRows>::build([&](auto out) {
             out.initKeys(1).set(0, data_of(key));
           }),
           false);
}

void ask_page(self_pointer self, const call_ptr& asked, byte_view prefix, byte_view after) {
  const auto limit = limit_of(*asked, usual_limit, most_rows);
  if (!limit) return;
  ask_rows(self, asked, message<schema::GetProvenRows>::build([&](auto out) {
             out.setPrefix(data_of(prefix));
             out.setAfter(data_of(after));
             out.setMost(*limit);
           }),
           true);
}

/// A row whose key is a table and an id.
void answer_by_id(self_pointer self, const call_ptr& asked, ledger_table table) {
  const auto id = id_in(*asked, asked->what->arguments[0].name, asked->argument(0));
  if (!id) return;
  auto key = table_prefix(table);
  key.insert(key.end(), id->value.begin(), id->value.end());
  ask_one(self, asked, key);
}

/// A page of the rows of a table whose keys are ids.
void answer_list(self_pointer self, const call_ptr& asked, ledger_table table) {
  auto after = bytes();
  if (const auto text = asked->asked.parameter("after"); text && !text->empty()) {
    const auto id = id_in(*asked, "after", *text);
    if (!id) return;
    after = table_prefix(table);
    after.insert(after.end(), id->value.begin(), id->value.end());
  }
  ask_page(self, asked, table_prefix(table), after);
}

void answer_rows(self_pointer self, const call_ptr& asked) {
  const auto prefix =
      hex_in(*asked, "prefix", asked->asked.parameter("prefix").value_or(""), most_rows);
  const auto after =
      prefix ? hex_in(*asked, "after", asked->asked.parameter("after").value_or(""), most_rows)
             : std::nullopt;
  if (after) ask_page(self, asked, *prefix, *after);
}

void answer_many_rows(self_pointer self, const call_ptr& asked) {
  const auto question = keys_in(*asked);
  if (!question) return;
  ask_rows(self, asked, *question, question->root().getPrefix().size() > 0);
}

std::optional<schema::RowSource> index_named(std::string_view name) {
  if (name == "targets-by-epoch") return schema::RowSource::TARGETS_BY_EPOCH;
  if (name == "targets-undecided") return schema::RowSource::TARGETS_UNDECIDED;
  if (name == "target-counts") return schema::RowSource::TARGET_COUNTS;
  if (name == "model-counts") return schema::RowSource::MODEL_COUNTS;
  return std::nullopt;
}

void answer_listings(self_pointer self, const call_ptr& asked) {
  const auto from = index_named(asked->argument(0));
  if (!from) return reply_error(*asked, 404, "no_such_index", "there is no index of this name");
  const auto prefix =
      hex_in(*asked, "prefix", asked->asked.parameter("prefix").value_or(""), most_rows);
  if (!prefix) return;
  const auto after =
      hex_in(*asked, "after", asked->asked.parameter("after").value_or(""), most_rows);
  if (!after) return;
  const auto limit = limit_of(*asked, usual_limit, 1'024);
  if (!limit) return;
  const auto question = message<schema::GetRows>::build([&](auto out) {
    out.setFrom(*from);
    out.setPrefix(data_of(byte_view(*prefix)));
    out.setAfter(data_of(byte_view(*after)));
    out.setMost(*limit);
  });
  ask_and_show<schema::Rows>(self, asked, question, [](auto root) {
    auto rows = value::list();
    for (const auto& row : root.getRows()) {
      rows.push(value::of({{"key", hex(row.getKey())}, {"value", hex(row.getValue())}}));
    }
    return value::of({{"height", root.getHeight()},
                      {"rows", std::move(rows)},
                      {"more", root.getMore()},
                      {"proven", false}});
  });
}

value targets_json(schema::OpenTargets::Reader root) {
  auto targets = value::list();
  for (const auto& target : root.getTargets()) {
    auto assigned = value::list();
    for (const auto& version : target.getAssigned()) {
      assigned.push(
          value::of({{"model", hex(version.getModel())}, {"version", version.getVersion()}}));
    }
    auto point = value::list();
    for (const auto coordinate : target.getPoint()) point.push(coordinate);
    targets.push(value::of({{"id", hex(target.getId())},
                            {"radius_q30", target.getRadiusQ30()},
                            {"reward_shannons", target.getRewardShannons()},
                            {"assigned", std::move(assigned)},
                            {"point", std::move(point)}}));
  }
  return value::of({{"height", root.getHeight()},
                    {"epoch", root.getEpoch()},
                    {"targets", std::move(targets)},
                    {"proven", false}});
}

void answer_targets(self_pointer self, const call_ptr& asked) {
  const auto limit = limit_of(*asked, usual_limit, 1'024);
  if (!limit) return;
  const auto question =
      message<schema::GetOpenTargets>::build([&](auto out) { out.setMost(*limit); });
  ask_and_show<schema::OpenTargets>(self, asked, question, targets_json);
}

}  // namespace

void answer_facts(self_pointer self, const call_ptr& asked) {
  switch (asked->what->id) {
    case endpoint_id::network:
      return answer_network(self, asked);
    case endpoint_id::genesis:
      return answer_genesis(self, asked);
    case endpoint_id::blocks:
      return answer_blocks(self, asked);
    case endpoint_id::certificates:
      return answer_certificates(self, asked);
    case endpoint_id::epochs:
      return answer_epochs(self, asked);
    case endpoint_id::row: {
      const auto key = hex_in(*asked, "key", asked->argument(0), most_rows);
      if (key) ask_one(self, asked, *key);
      return;
    }
    case endpoint_id::rows:
      return answer_rows(self, asked);
    case endpoint_id::many_rows:
      return answer_many_rows(self, asked);
    case endpoint_id::listings:
      return answer_listings(self, asked);
    case endpoint_id::account:
      return answer_by_id(self, asked, ledger_table::account);
    case endpoint_id::models:
      return answer_list(self, asked, ledger_table::model);
    case endpoint_id::model:
      return answer_by_id(self, asked, ledger_table::model);
    case endpoint_id::targets:
      return answer_targets(self, asked);
    case endpoint_id::target:
      return answer_by_id(self, asked, ledger_table::target);
    case endpoint_id::validators:
      return answer_list(self, asked, ledger_table::validator);
    case endpoint_id::validator:
      return answer_by_id(self, asked, ledger_table::validator);
    default:
      return reply_error(*asked, 500, "not_answered", "this path has no answer");
  }
}

}  // namespace soma::gateway
