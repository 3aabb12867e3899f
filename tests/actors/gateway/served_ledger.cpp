#include "tests/actors/gateway/served_ledger.hpp"

#include <algorithm>
#include <caf/actor_system.hpp>
#include <caf/exit_reason.hpp>
#include <caf/scoped_actor.hpp>
#include <chrono>
#include <stdexcept>

#include "actors/blob_store/blob_store_role.hpp"
#include "actors/clock/clock.hpp"
#include "actors/cluster/system_config.hpp"
#include "actors/public_answers/event_page.hpp"
#include "actors/public_answers/explanation.hpp"
#include "actors/public_answers/history.hpp"
#include "actors/public_answers/proven_rows.hpp"
#include "actors/validator/ledger_answers.hpp"
#include "messages/codec/codec.hpp"
#include "messages/codec/model_entry.hpp"
#include "tests/actors/gateway/described_answer.hpp"

namespace soma::test {
namespace {

using validator::validator_actor;

struct answering_state {
  std::shared_ptr<shared_chain> shared;
  public_answers::row_prover prover;
  std::vector<std::shared_ptr<void>> never_answered;
};
using answering_pointer = validator_actor::stateful_pointer<answering_state>;

/// A handler that answers by `make`, or never while the role is silent.
template <class Reply, class Request, class Make>
auto answering(answering_pointer self, Make make) {
  return
      [self, make](const message<Request>& asked) -> caf::typed_response_promise<message<Reply>> {
        auto promise = self->template make_response_promise<message<Reply>>();
        auto& state = self->state;
        if (state.shared->is_silent) {
          state.never_answered.push_back(std::make_shared<decltype(promise)>(promise));
          return promise;
        }
        const std::lock_guard lock(state.shared->mutex);
        promise.deliver(make(state, asked.root()));
        return promise;
      };
}

chain_row tip_of(const proven_chain& chain) {
  return *chain.store.view().chain();
}

message<schema::ChainStatus> status_of(const proven_chain& chain) {
  return message<schema::ChainStatus>::build([&](auto out) {
    const auto tip = tip_of(chain);
    const auto id = chain.chain();
    const auto root = chain.tree.root();
    out.setChain(data_of(id));
    out.setHeight(tip.height.value);
    out.setLastBlock(data_of(tip.last_block));
    out.setEpoch(tip.epoch.value);
    out.setTimeMs(tip.time_ms);
    out.setStateRoot(data_of(root));
    out.setSupplyOk(true);
  });
}

message<schema::SubmitReceipt> take_offer(shared_chain& shared,
                                          schema::SubmitTransaction::Reader asked) {
  signed_transaction sent;
  sent.body = bytes_of(asked.getBody());
  std::ranges::copy(view_of(asked.getSignature()), sent.by_sender.begin());
  const auto id = signing::id_of(sent);
  ++shared.signatures_checked;
  if (!signing::verify(sent)) return validator::receipt(id, rules::refusal::bad_signature);
  shared.offered.push_back(sent);
  return validator::receipt(id, {});
}

validator_actor::behavior_type answer_from_chain(answering_pointer self,
                                                 const std::shared_ptr<shared_chain>& shared) {
  using namespace public_answers;
  self->state.shared = shared;
  const auto view = [](answering_state& at) { return at.shared->chain.store.view(); };
  return {
      answering<schema::SubmitReceipt, schema::SubmitTransaction>(
          self, [](auto& at, auto asked) { return take_offer(*at.shared, asked); }),
      answering<schema::ChainStatus, schema::GetChain>(
          self, [](auto& at, auto) { return status_of(at.shared->chain); }),
      answering<schema::Row, schema::GetRow>(self,
                                             [=](auto& at, auto asked) {
                                               return validator::row_answer(
                                                   view(at), view_of(asked.getKey()));
                                             }),
      answering<schema::OpenTargets, schema::GetOpenTargets>(
          self,
          [=](auto& at, auto asked) {
            return validator::open_targets_answer(view(at), tip_of(at.shared->chain),
                                                  asked.getMost());
          }),
      answering<schema::Rows, schema::GetRows>(self,
                                               [=](auto& at, auto asked) {
                                                 return validator::rows_answer(
                                                     view(at), view_of(asked.getPrefix()),
                                                     view_of(asked.getAfter()), asked.getMost(),
                                                     asked.getFrom());
                                               }),
      answering<schema::TransactionStatus, schema::GetTransaction>(
          self,
          [=](auto& at, auto asked) {
            ++at.shared->questions_for_transactions;
            return validator::transaction_answer(view(at),
                                                 id_or_zero<transaction_id>(asked.getId()));
          }),
      answering<schema::GenesisBytes, schema::GetGenesis>(
          self,
          [](auto& at, auto) {
            const auto canonical = encode(at.shared->chain.genesis());
            return message<schema::GenesisBytes>::build(
                [&](auto out) { out.setGenesis(data_of(canonical)); });
          }),
      answering<schema::Holders, schema::GetHolders>(
          self, [](auto&, auto) { return message<schema::Holders>{}; }),
      answering<schema::ProvenRows, schema::GetProvenRows>(
          self,
          [=](auto& at, auto asked) {
            return at.prover.answer(view(at), at.shared->chain.tree, asked);
          }),
      answering<schema::EpochProofs, schema::GetEpochProofs>(
          self, [=](auto& at, auto asked) { return epoch_proofs_answer(view(at), asked); }),
      answering<schema::FinalBlocks, schema::GetBlocks>(
          self, [=](auto& at, auto asked) { return blocks_answer(view(at), asked); }),
      answering<schema::FinalityAnswer, schema::GetFinality>(
          self, [=](auto& at, auto asked) { return finality_answer(view(at), asked); }),
      answering<schema::EventPage, schema::GetEvents>(self,
                                                      [=](auto& at, auto asked) {
                                                        ++at.shared->questions_for_events;
                                                        return event_page_answer(view(at), asked);
                                                      }),
      answering<schema::Explanation, schema::GetExplanation>(
          self, [=](auto& at, auto asked) { return explanation_answer(view(at), asked); }),
      answering<schema::Ack, schema::FromPeer>(self,
                                               [](auto&, auto) { return message<schema::Ack>{}; })};
}

std::uint64_t unix_ms() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

}  // namespace

support::parsed_json answered::json() const {
  auto read = support::parse_json(body);
  if (!read) throw std::runtime_error("no JSON: " + body);
  return std::move(*read);
}

std::string answered::code() const {
  const auto read = support::parse_json(body);
  return read && read->has("error") ? (*read)["error"]["code"].text : "";
}

struct served_ledger::parts {
  std::shared_ptr<shared_chain> shared = std::make_shared<shared_chain>();
  cluster::system_config config;
  caf::actor_system system{config};
  gateway::gateway_ports ports;
  gateway::gateway_options options;
  gateway::spawned_gateway served;
  std::unique_ptr<http::client> client;

  [[nodiscard]] http::client& connected() {
    if (!client) {
      http::client_options how;
      how.server = {false, "127.0.0.1", served.port, std::nullopt};
      how.total_ms = 10'000;
      client = std::make_unique<http::client>(how);
    }
    return *client;
  }
  answered send(const http::client_request& what) {
    auto got = connected().send(what);
    if (!got) throw std::runtime_error("no answer: " + got.error().why);
    const auto body = got->body_view();
    answered out{got->status,
                 got->content_type.empty()
                     ? std::string(http::find(got->headers, "content-type").value_or(""))
                     : got->content_type,
                 std::string(body.begin(), body.end()), got->headers};
    const auto why = misfit_of_answer(what.verb, what.target, out.status, out.type, out.body);
    if (why.empty()) return out;
    throw std::runtime_error("the answer to " + what.target +
                             " is not what the OpenAPI document says: " + why + ": " + out.body);
  }
};

served_ledger::served_ledger(
    const change& set, std::shared_ptr<blobs::blob_store> disk,
    const std::function<blob_keeper::blob_keeper_actor(caf::actor_system&)>& keeper)
    : parts_(std::make_unique<parts>()) {
  auto& p = *parts_;
  if (disk) {
    p.ports.blobs = p.system.spawn<caf::detached>(blob_store::blob_store_role,
                                                  blob_store::blob_store_ports{std::move(disk)});
  }
  if (keeper) p.ports.keeper = keeper(p.system);
  p.ports.clock = p.system.spawn(clock::clock, clock::clock_ports{unix_ms});
  p.ports.validator = p.system.spawn(answer_from_chain, p.shared);
  p.options.look_ms = 5;
  auto& limits = p.options.limits;
  limits.requests_burst = limits.requests_per_second = 100'000;
  limits.connections_burst = limits.connections_per_second = 10'000;
  limits.connections_per_host = limits.connections_per_network = 1'000;
  if (set) set(p.options);
  auto spawned = gateway::spawn_gateway(p.system, p.ports, p.options);
  if (!spawned) throw std::runtime_error(spawned.error());
  p.served = *spawned;
}

served_ledger::~served_ledger() {
  auto& p = *parts_;
  p.client.reset();
  for (const auto& one :
       {caf::actor_cast<caf::actor>(p.served.role), caf::actor_cast<caf::actor>(p.ports.validator),
        caf::actor_cast<caf::actor>(p.ports.clock), caf::actor_cast<caf::actor>(p.ports.blobs),
        caf::actor_cast<caf::actor>(p.ports.keeper)}) {
    if (one) caf::anon_send_exit(one, caf::exit_reason::user_shutdown);
  }
  p.served.role = nullptr;
  p.ports = {};
}

std::uint16_t served_ledger::port() const {
  return parts_->served.port;
}
gateway::gateway_actor& served_ledger::role() {
  return parts_->served.role;
}
caf::actor_system& served_ledger::system() {
  return parts_->system;
}
const gateway::gateway_ports& served_ledger::ports() const {
  return parts_->ports;
}
gateway::gateway_options served_ledger::options() const {
  return parts_->options;
}
shared_chain& served_ledger::shared() {
  return *parts_->shared;
}

void served_ledger::grow(std::size_t transfers) {
  const std::lock_guard lock(shared().mutex);
  auto& chain = shared().chain;
  std::vector<signed_transaction> payload;
  for (std::size_t i = 0; i < transfers; ++i) payload.push_back(chain.proposer.transfer(1));
  chain.grow(10, std::move(payload));
}

void served_ledger::grow_with_offered() {
  const std::lock_guard lock(shared().mutex);
  shared().chain.grow(10, std::exchange(shared().offered, {}));
}

void served_ledger::close_epoch() {
  const std::lock_guard lock(shared().mutex);
  shared().chain.close_epoch();
}

signed_transaction served_ledger::transfer(std::uint64_t amount) {
  const std::lock_guard lock(shared().mutex);
  return shared().chain.proposer.transfer(amount);
}

std::uint64_t served_ledger::height() {
  const std::lock_guard lock(shared().mutex);
  return shared().chain.store.view().height().value;
}

answered served_ledger::get(const std::string& target, http::name_values headers,
                            http::method verb) {
  return parts_->send({verb, target, std::move(headers), nullptr});
}

answered served_ledger::put(const std::string& target, byte_view body, http::name_values headers) {
  return parts_->send({http::method::put, target, std::move(headers),
                       std::make_shared<const bytes>(body.begin(), body.end())});
}

answered served_ledger::post(const std::string& target, const std::string& type, byte_view body,
                             http::name_values headers) {
  headers.emplace_back("Content-Type", type);
  return parts_->send({http::method::post, target, std::move(headers),
                       std::make_shared<const bytes>(body.begin(), body.end())});
}

event_reader::event_reader(std::uint16_t port, const std::string& query, const std::string& last,
                           const raw_client::setting& how)
    : connection_(port, how) {
  // HTTP/1.0 knows no chunks, so the body comes as it is.
  std::string asked = "GET /v1/events" + query + " HTTP/1.0\r\nHost: h\r\n";
  if (!last.empty()) asked += "Last-Event-ID: " + last + "\r\n";
  connection_.send(asked + "\r\n");
  head_ = connection_.read_until("\r\n\r\n");
  const auto end = head_.find("\r\n\r\n");
  if (end == std::string::npos) return;
  text_ = head_.substr(end + 4);
  head_.resize(end + 2);
}

const std::vector<std::string>& event_reader::read_until(const std::string& place, int at_most_ms) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(at_most_ms);
  for (bool found = false; !found;) {
    for (auto end = text_.find("\n\n", read_); end != std::string::npos;
         end = text_.find("\n\n", read_)) {
      const auto block = text_.substr(read_, end - read_);
      read_ = end + 2;
      if (!block.starts_with("id: ")) continue;
      places_.push_back(block.substr(4, block.find('\n') - 4));
      found = found || places_.back() == place;
    }
    if (found || std::chrono::steady_clock::now() > until) break;
    text_ += connection_.read_until("\n\n", 50);
  }
  return places_;
}

}  // namespace soma::test
