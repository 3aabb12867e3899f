#include "deploy/soma/network/network_connection.hpp"

#include "actors/public_answers/explanation.hpp"
#include "deploy/soma/network/gateway_ledger.hpp"
#include "deploy/soma/network/ledger_connection.hpp"
#include "deploy/soma/shell/console.hpp"
#include "deploy/soma/shell/plain_text.hpp"
#include "deploy/soma/shell/stop.hpp"
#include "deploy/soma/shell/units.hpp"
#include "messages/wire/refusals.hpp"

namespace soma::cli {

transaction_state read_state(schema::TransactionStatus::Reader from) {
  return {block_height{from.getHeight()}, epoch_number{from.getEpoch()},
          validator::block_refusal_of(from.getRefusal()), why_of(from.getRefusal()),
          shannons{from.getFeeShannons()}};
}

namespace {

void make_plain(std::vector<explain::field>& fields) {
  for (auto& one : fields) {
    one.name = plain_line(one.name);
    if (auto* text = std::get_if<std::string>(&one.value)) *text = plain_line(*text);
    if (auto* texts = std::get_if<std::vector<std::string>>(&one.value)) {
      for (auto& text : *texts) text = plain_line(text);
    }
  }
}

void make_plain(std::vector<explain::step>& steps) {
  for (auto& one : steps) {
    for (auto* text : {&one.name, &one.text, &one.section}) *text = plain_line(*text);
    make_plain(one.fields);
  }
}

}  // namespace

expected<explain::explanation, failure> read_explained(const std::string& what,
                                                       schema::Explanation::Reader from) {
  if (is_refused(from.getRefusal())) {
    const bool is_early = from.getRefusal().isLedger() &&
                          from.getRefusal().getLedger() == schema::LedgerRefusal::NOT_THERE_YET;
    return failed("cannot explain " + what, plain_line(why_of(from.getRefusal())),
                  is_early ? "an id begins with 0x; a number without 0x is an epoch" : "");
  }
  auto told = public_answers::read_explanation(from);
  for (auto* text : {&told.subject, &told.id, &told.status, &told.summary}) {
    *text = plain_line(*text);
  }
  make_plain(told.facts);
  make_plain(told.next);
  for (auto& one : told.passages) {
    one.name = plain_line(one.name);
    one.title = plain_line(one.title);
    make_plain(one.steps);
  }
  return told;
}

void network_connection::get_blob(const blob_id& blob, std::uint64_t size_bytes,
                                  gateway_client::blob_file& into) {
  const auto from = blob_gateways();
  gateway_client::pull_options options;
  options.gateways.on_left = [](const std::string& name, const gateway_client::refusal& why) {
    note_line("left " + describe(name, why));
  };
  // A gateway that does not have the blob yet may be getting it from a validator.
  options.gateways.patience_ms = 30'000;
  options.is_stopped = stop_requested;
  live_area area;
  auto sink = into.sink();
  sink.progress = [&](std::uint32_t have, std::uint32_t all) {
    area.draw({"fetching " + to_text(byte_count{size_bytes}) + ": " + std::to_string(have) +
               " of " + std::to_string(all) + " chunks"});
  };
  const auto done = pull_blob(blob, size_bytes, from, sink, options);
  area.clear();
  if (done) return;
  if (stop_requested()) {
    throw source_failure("stopped; the same command goes on where this one was");
  }
  throw source_failure("cannot fetch blob " + blob.text() + ": " + to_text(done.error()) +
                       "; the same command goes on where this one stopped");
}

expected<std::unique_ptr<network_connection>, failure> network_connection::open(
    const run_context& context, const ledger_place& place) {
  const auto gateways = place.gateways(context);
  if (!gateways) return make_unexpected(gateways.error());
  if (!gateways->empty()) {
    auto opened = gateway_ledger::open(context, place, *gateways);
    if (!opened) return make_unexpected(opened.error());
    return std::unique_ptr<network_connection>(std::move(*opened));
  }
  auto opened = ledger_connection::open(context, place);
  if (!opened) return make_unexpected(opened.error());
  return std::unique_ptr<network_connection>(std::move(*opened));
}

}  // namespace soma::cli
