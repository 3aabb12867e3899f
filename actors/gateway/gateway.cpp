#include "actors/gateway/gateway.hpp"

#include <caf/actor_system.hpp>
#include <system_error>
#include <utility>

#include "actors/gateway/call.hpp"
#include "actors/interface/describe_error.hpp"
#include "messages/codec/codec.hpp"

namespace soma::gateway {

namespace {

/// So many requests wait for the genesis when the gateway has just begun.
constexpr std::size_t most_early = 256;

/// What the spawner gives to the role. The server exists before the actor.
struct gateway_parts {
  gateway_ports ports;
  gateway_options options;
  std::shared_ptr<inbox> in;
  std::unique_ptr<http::server> server;
};

void answer(self_pointer self, const call_ptr& asked);

/// Takes the requests that have waited for the genesis.
std::vector<call_ptr> take_early(self_pointer self) {
  return std::exchange(self->state.early, {});
}

void learn_genesis(self_pointer self) {
  auto& state = self->state;
  self->request(state.ports.validator, std::chrono::milliseconds(state.options.question_ms),
                message<schema::GetGenesis>{})
      .then(
          [self](const message<schema::GenesisBytes>& reply) {
            const auto data = view_of(reply.root().getGenesis());
            auto read = decode<soma::genesis>(data);
            if (!read) return;
            self->state.genesis = std::move(*read);
            self->state.genesis_bytes.assign(data.begin(), data.end());
            for (const auto& asked : take_early(self)) answer(self, asked);
          },
          [self](const caf::error&) {
            for (const auto& asked : take_early(self)) reply_silent(*asked);
          });
}

/// Asks where the chain stands, and goes on with all that waits for blocks. A validator that is
/// silent is not asked again before its time is over.
void look(self_pointer self) {
  auto& state = self->state;
  if (std::exchange(state.is_looking, true)) return;
  if (state.genesis_bytes.empty()) learn_genesis(self);
  self->request(state.ports.validator, std::chrono::milliseconds(state.options.question_ms),
                message<schema::GetChain>{})
      .then(
          [self](const message<schema::ChainStatus>& status) {
            self->state.is_looking = false;
            self->state.height = status.root().getHeight();
            self->state.epoch = status.root().getEpoch();
            look_at_streams(self);
            look_at_waiting(self);
          },
          [self](const caf::error&) { self->state.is_looking = false; });
}

void look_again_later(self_pointer self);

/// What is due at this time, whether the validator answers or not.
void pass(self_pointer self, const message<schema::Time>& now) {
  auto& state = self->state;
  state.now_ms = now.root().getSteadyMs();
  state.unix_ms = now.root().getUnixMs();
  state.streams.forget_gone();
  state.streams.keep_alive(state.now_ms, state.options.heartbeat_ms);
  look_at_waiting(self);
  look_at_paced(self);
  look(self);
  look_again_later(self);
}

void look_again_later(self_pointer self) {
  const auto& state = self->state;
  self->request(state.ports.clock, caf::infinite,
                message<schema::Wait>::build([&](auto out) { out.setMs(state.options.look_ms); }))
      .then([self](const message<schema::Time>& now) { pass(self, now); },
            [self](const caf::error& error) { self->quit(error); });
}

void answer(self_pointer self, const call_ptr& asked) {
  if (asked->what->id == endpoint_id::openapi) return reply_json(*asked, openapi_document());
  if (self->state.genesis_bytes.empty()) {
    if (self->state.early.size() >= most_early) return reply_silent(*asked);
    self->state.early.push_back(asked);
    return;
  }
  switch (asked->what->id) {
    case endpoint_id::events:
      return answer_events(self, asked);
    case endpoint_id::faucet:
      return answer_faucet(self, asked);
    case endpoint_id::explanation:
      return answer_explanation(self, asked);
    case endpoint_id::send_transaction:
    case endpoint_id::transaction:
      return answer_transactions(self, asked);
    case endpoint_id::blob:
    case endpoint_id::blob_chunk:
    case endpoint_id::blob_holders:
      return answer_blobs(self, asked);
    case endpoint_id::begin_upload:
    case endpoint_id::upload_chunk:
      return answer_uploads(self, asked);
    default:
      return answer_facts(self, asked);
  }
}

gateway_actor::behavior_type run(self_pointer self, const std::shared_ptr<gateway_parts>& parts) {
  name_exceptions(*self);
  auto& state = self->state;
  state.ports = parts->ports;
  state.options = parts->options;
  state.in = parts->in;
  state.moved = host_buckets(state.options.blob_rates);
  state.checked = host_buckets(state.options.signature_checks);
  state.uploads = upload_book(state.options.uploads);
  if (state.options.faucet) state.giver.emplace(*state.options.faucet);
  self->attach_functor([parts] {
    parts->in->close();     // from here on nothing holds the actor
    parts->server.reset();  // from here on no stranger is heard
  });
  // No request is answered before the time is known.
  self->request(state.ports.clock, caf::infinite, message<schema::Wait>{})
      .await([self](const message<schema::Time>& now) { pass(self, now); },
             [self](const caf::error& error) { self->quit(error); });
  return {[self](const call_ptr& asked) { answer(self, asked); },
          [self](const std::shared_ptr<blob_reading>& to) { serve_reading(self, to); }};
}

/// Browsers ask whether a page of elsewhere may send a request.
http::response preflight() {
  http::response answer;
  answer.status = 204;
  answer.headers = {{"Access-Control-Allow-Methods", "GET, HEAD, POST, PUT"},
                    {"Access-Control-Allow-Headers",
                     "Accept, Content-Type, Last-Event-ID, Range, Soma-Reservation"},
                    {"Access-Control-Max-Age", "86400"}};
  return answer;
}

http::server_options server_options_of(const gateway_options& options,
                                       const std::shared_ptr<inbox>& in) {
  http::server_options out;
  out.listen_host = options.listen_host;
  out.listen_port = options.listen_port;
  out.identity = options.identity;
  out.proxies = options.proxies;
  out.limits = options.limits;
  // Anybody's page in a browser may read what anybody may read. Without the last header it would
  // see neither the version nor when to ask again.
  out.headers = {{"Soma-Answers", std::to_string(answers_version)},
                 {"Access-Control-Allow-Origin", "*"},
                 {"Access-Control-Expose-Headers",
                  "Soma-Answers, Retry-After, ETag, Accept-Ranges, Content-Range"}};
  out.body_limit = [](const http::request_head& head) -> http::body_verdict {
    if (head.verb == http::method::options) return 0;
    const auto found = match(head.verb, head.path);
    if (!found) return make_unexpected(found.error());
    return found->what->body.most_bytes;
  };
  out.handler = [in](http::request asked, http::responder to) {
    if (asked.verb == http::method::options) return to.send(preflight());
    auto found = match(asked.verb, asked.path);
    if (!found) return to.send(std::move(found.error()));
    auto made = std::make_shared<call>();
    made->what = found->what;
    made->arguments = std::move(found->arguments);
    made->asked = std::move(asked);
    made->to = std::move(to);
    in->put<const call>(std::move(made));
  };
  return out;
}

}  // namespace

expected<spawned_gateway, std::string> spawn_gateway(caf::actor_system& system, gateway_ports ports,
                                                     gateway_options options) {
  auto parts = std::make_shared<gateway_parts>();
  parts->in = std::make_shared<inbox>();
  try {
    parts->server = std::make_unique<http::server>(server_options_of(options, parts->in));
  } catch (const std::system_error& error) {
    return make_unexpected(std::string(error.what()));
  }
  spawned_gateway out;
  out.port = parts->server->port();
  parts->ports = std::move(ports);
  parts->options = std::move(options);
  const auto in = parts->in;
  out.role = system.spawn(run, parts);
  in->open(out.role);
  return out;
}

}  // namespace soma::gateway
