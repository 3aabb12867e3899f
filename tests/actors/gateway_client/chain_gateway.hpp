// A gateway of a test: a real HTTP server on loopback that answers from a small chain as the API of
// gateways says. A test changes what it says before it says it.
#pragma once

#include <charconv>
#include <mutex>

#include "actors/gateway_client/http_fetch.hpp"
#include "actors/http/server.hpp"
#include "actors/public_answers/history.hpp"
#include "actors/public_answers/proven_rows.hpp"
#include "tests/actors/public_answers/proven_chain.hpp"

namespace soma::test {

/// What a gateway of a test does otherwise than an honest one.
struct gateway_script {
  /// Answers what the gateway does not; nullopt: 404.
  std::function<std::optional<http::response>(const http::request&)> others = nullptr;
  /// Changes an answer, with the number of the request, counted from 1. A status of 0 is silence.
  std::function<void(const http::request&, http::response&, std::size_t number)> change = nullptr;
  /// In Soma-Answers; empty: the header is missing.
  std::string version = std::to_string(gateway_client::answers_version);
  std::shared_ptr<const public_tls::server_identity> identity = nullptr;  // nullptr: plain
};

class chain_gateway {
 public:
  /// `chain` outlives the gateway. While a test changes it, it holds lock().
  explicit chain_gateway(proven_chain& chain, gateway_script how = {}, std::uint16_t port = 0)
      : chain_(chain), options_(std::move(how)), server_(server_options(port)) {}

  [[nodiscard]] std::uint16_t port() const { return server_.port(); }
  [[nodiscard]] std::string address() const {
    return (options_.identity ? "https://127.0.0.1:" : "http://127.0.0.1:") +
           std::to_string(port());
  }
  [[nodiscard]] std::unique_lock<std::mutex> lock() { return std::unique_lock(mutex_); }
  [[nodiscard]] std::size_t requests() {
    const auto held = lock();
    return requests_;
  }

  template <class Answer>
  [[nodiscard]] static http::response respond(const message<Answer>& answer) {
    const auto view = answer.bytes();
    return respond(bytes(view.begin(), view.end()));
  }
  [[nodiscard]] static http::response respond(bytes body) {
    http::response out;
    out.content_type = "application/x-capnp";
    out.body = std::make_shared<const bytes>(std::move(body));
    return out;
  }
  /// The number behind `name=` in the query; 0 if there is none.
  [[nodiscard]] static std::uint64_t number(const http::request& asked, std::string_view name) {
    const auto text = asked.parameter(name).value_or("");
    std::uint64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
  }

 private:
  http::server_options server_options(std::uint16_t port) {
    http::server_options out;
    out.listen_port = port;
    out.identity = options_.identity;
    out.body_limit = [](const http::request_head&) -> http::body_verdict { return 1U << 20U; };
    out.handler = [this](const http::request& asked, const http::responder& to) {
      const auto held = lock();
      auto made = answer(asked);
      if (!options_.version.empty()) made.headers.emplace_back("Soma-Answers", options_.version);
      if (options_.change) options_.change(asked, made, requests_);
      if (made.status != 0) to.send(std::move(made));
      // A status of 0 says that the test wants silence: the request is kept without an answer.
      else
        silent_.push_back(to);
    };
    return out;
  }

  http::response answer(const http::request& asked) {
    ++requests_;
    const auto view = chain_.store.view();
    if (asked.path == "/v1/genesis") return respond(encode(chain_.genesis()));
    if (asked.path == "/v1/rows" && asked.verb == http::method::post) {
      const auto question = message<schema::GetProvenRows>::parse(asked.body);
      if (!question) return http::error_response(400, "malformed", "no GetProvenRows");
      return respond(prover_.answer(view, chain_.tree, question->root()));
    }
    constexpr std::string_view epochs = "/v1/epochs/";
    if (asked.path.starts_with(epochs)) {
      std::uint64_t from = 0;
      std::from_chars(asked.path.data() + epochs.size(), asked.path.data() + asked.path.size(),
                      from);
      const auto question = message<schema::GetEpochProofs>::build([&](auto out) {
        out.setFrom(from);
        out.setMost(static_cast<std::uint32_t>(number(asked, "limit")));
      });
      return respond(public_answers::epoch_proofs_answer(view, question.root()));
    }
    if (options_.others) {
      if (auto other = options_.others(asked)) return std::move(*other);
    }
    return http::error_response(404, "not_found", "there is no such answer");
  }

  proven_chain& chain_;
  gateway_script options_;
  std::mutex mutex_;
  public_answers::row_prover prover_;
  std::size_t requests_ = 0;
  std::vector<http::responder> silent_;
  http::server server_;  // last, so that it ends before what its handler uses
};

}  // namespace soma::test
