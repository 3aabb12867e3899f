// A gateway that lies: it asks an honest one, changes what that says, and answers under its own
// key. tests/bench/edge_hosts puts it on a host and shows that clients name the lie and leave it.
//   edge_liar LISTEN_HOST PORT FOLDER UPSTREAM LIE
// FOLDER keeps its key, so that its pin stays the same. Once it listens it prints its address. LIE:
//   none      what the honest gateway says
//   stale     the first answer to a question about rows, however often it is asked
//   forged    a byte of each account's row is flipped
//   omitted   the rows of accounts are said to be absent
//   list      a byte of each page of a proven list is flipped
//   listing   the first row of a page of an index comes twice
//   hashes    a byte of the hashes of a blob's chunks is flipped
//   chunk     a byte of each piece of a blob is flipped
//   swallow   an upload is said to be whole before it has begun, and is kept nowhere
//   version   another version of answers
#include <algorithm>
#include <array>
#include <condition_variable>
#include <cstdio>
#include <deque>
#include <filesystem>
#include <map>
#include <mutex>
#include <thread>

#include "actors/gateway_client/http_fetch.hpp"
#include "actors/http/client.hpp"
#include "actors/http/server.hpp"
#include "messages/crypto/public_tls/certificate.hpp"
#include "messages/values/rows.hpp"
#include "messages/wire/message.hpp"
#include "messages/wire/role_messages.hpp"

namespace {

using namespace soma;

constexpr std::array<std::string_view, 10> lies{"swallow", "none", "stale",   "hashes", "forged",
                                                "omitted", "list", "listing", "chunk",  "version"};
constexpr std::uint64_t most_body_bytes = std::uint64_t{64} << 20U;

bool is_of(ledger_table table, byte_view key) {
  return !key.empty() && key[0] == static_cast<std::uint8_t>(table);
}

bytes flipped(byte_view data) {
  bytes out(data.begin(), data.end());
  if (!out.empty()) out[out.size() / 2] ^= 1U;
  return out;
}

/// The rows of this table are said to have another value, or to be absent. Their proofs stay.
bytes with_rows(byte_view body, ledger_table table, bool are_absent) {
  const auto read = message<schema::ProvenRows>::parse(body);
  if (!read) return bytes(body.begin(), body.end());
  const auto from = read->root();
  const auto made = message<schema::ProvenRows>::build([&](auto out) {
    out.setRefusal(from.getRefusal());
    out.setFinality(from.getFinality());
    out.setMore(from.getMore());
    auto rows = out.initRows(from.getRows().size());
    for (unsigned i = 0; i < rows.size(); ++i) {
      const auto row = from.getRows()[i];
      const bool is_false = row.getPresent() && is_of(table, view_of(row.getKey()));
      rows[i].setKey(row.getKey());
      rows[i].setProof(row.getProof());
      rows[i].setPresent(row.getPresent() && !(is_false && are_absent));
      if (!rows[i].getPresent()) continue;
      const auto value = view_of(row.getValue());
      const auto said = is_false ? flipped(value) : bytes(value.begin(), value.end());
      rows[i].setValue(data_of(said));
    }
  });
  const auto view = made.bytes();
  return bytes(view.begin(), view.end());
}

bytes with_first_row_twice(byte_view body) {
  const auto read = message<schema::Rows>::parse(body);
  if (!read || read->root().getRows().size() == 0) return bytes(body.begin(), body.end());
  const auto from = read->root();
  const auto made = message<schema::Rows>::build([&](auto out) {
    out.setMore(from.getMore());
    auto rows = out.initRows(from.getRows().size() + 1);
    for (unsigned i = 0; i < rows.size(); ++i) {
      const auto row = from.getRows()[i == 0 ? 0 : i - 1];
      rows[i].setKey(row.getKey());
      rows[i].setValue(row.getValue());
    }
  });
  const auto view = made.bytes();
  return bytes(view.begin(), view.end());
}

bytes with_other_hashes(byte_view body) {
  const auto read = message<schema::BlobDescription>::parse(body);
  if (!read) return bytes(body.begin(), body.end());
  const auto from = read->root();
  const auto made = message<schema::BlobDescription>::build([&](auto out) {
    out.setRefusal(from.getRefusal());
    out.setBlob(from.getBlob());
    out.setSizeBytes(from.getSizeBytes());
    const auto hashes = flipped(view_of(from.getChunkHashes()));
    out.setChunkHashes(data_of(hashes));
  });
  const auto view = made.bytes();
  return bytes(view.begin(), view.end());
}

std::string escaped(std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<std::uint8_t>(c);
    const bool is_plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                          (c >= 'A' && c <= 'Z') || c == '/' || c == '-' || c == '_' || c == '.';
    if (is_plain) {
      out += c;
    } else {
      out.append({'%', digits[byte >> 4U], digits[byte & 15U]});
    }
  }
  return out;
}

http::response whole_upload(const http::request& asked) {
  http::response out;
  const auto blob = blob_id::parse(asked.path.substr(std::string_view("/v1/blobs/").size()));
  const auto made = message<schema::PutProgress>::build([&](auto to) {
    if (blob) to.setBlob(data_of(*blob));
  });
  const auto view = made.bytes();
  out.content_type = "application/x-capnp";
  out.headers.emplace_back("Soma-Answers", std::to_string(gateway_client::answers_version));
  out.body = std::make_shared<const bytes>(view.begin(), view.end());
  return out;
}

class liar {
 public:
  liar(http::origin upstream, std::string lie)
      : upstream_(std::move(upstream)), lie_(std::move(lie)) {
    for (int i = 0; i < 8; ++i)
      workers_.emplace_back([this](const std::stop_token& s) { work(s); });
  }
  void take(http::request asked, http::responder to) {
    {
      const std::lock_guard held(mutex_);
      waiting_.emplace_back(std::move(asked), std::move(to));
    }
    comes_.notify_one();
  }

 private:
  void work(const std::stop_token& stop) {
    http::client client(
        {.server = upstream_, .trust = {}, .environment = {}, .body_bytes = most_body_bytes});
    for (;;) {
      std::unique_lock held(mutex_);
      if (!comes_.wait(held, stop, [this] { return !waiting_.empty(); })) return;
      auto [asked, to] = std::move(waiting_.front());
      waiting_.pop_front();
      held.unlock();
      to.send(answer(client, asked));
    }
  }

  http::response answer(http::client& client, const http::request& asked) {
    if (lie_ == "swallow" && asked.verb == http::method::put) return whole_upload(asked);
    http::client_request on{asked.verb, escaped(asked.path), {}, {}};
    for (const auto& [name, value] : asked.query) {
      on.target += (on.target.find('?') == std::string::npos ? "?" : "&") + escaped(name) + "=" +
                   escaped(value);
    }
    for (const auto* name : {"accept", "content-type", "range", "soma-reservation"}) {
      if (const auto value = asked.header(name)) on.headers.emplace_back(name, *value);
    }
    if (!asked.body.empty()) on.body = std::make_shared<const bytes>(asked.body);
    const auto got = client.send(on);
    if (!got) return http::error_response(502, "bad_gateway", "the honest gateway is silent");
    http::response out;
    out.status = got->status;
    out.content_type = http::find(got->headers, "content-type").value_or("");
    for (const auto* name : {"soma-answers", "content-range", "etag", "retry-after"}) {
      const auto value = http::find(got->headers, name);
      const bool is_other = lie_ == "version" && std::string_view(name) == "soma-answers";
      if (value) out.headers.emplace_back(name, is_other ? "999" : std::string(*value));
    }
    out.body = std::make_shared<const bytes>(said(asked, got->body_view()));
    return out;
  }

  bytes said(const http::request& asked, byte_view body) {
    const bool is_rows = asked.path == "/v1/rows";
    if (is_rows && lie_ == "forged") return with_rows(body, ledger_table::account, false);
    if (is_rows && lie_ == "omitted") return with_rows(body, ledger_table::account, true);
    if (is_rows && lie_ == "list") return with_rows(body, ledger_table::list, false);
    if (lie_ == "listing" && asked.path.starts_with("/v1/listings/")) {
      return with_first_row_twice(body);
    }
    const bool is_outline = asked.path.starts_with("/v1/blobs/") && !asked.header("range");
    if (is_outline && lie_ == "hashes") return with_other_hashes(body);
    const bool is_piece = asked.path.starts_with("/v1/blobs/") && asked.header("range");
    if (is_piece && lie_ == "chunk") return flipped(body);
    bytes now(body.begin(), body.end());
    if (!is_rows || lie_ != "stale") return now;
    const std::lock_guard held(mutex_);
    return first_.try_emplace(asked.body, std::move(now)).first->second;
  }

  http::origin upstream_;
  std::string lie_;
  std::mutex mutex_;
  std::condition_variable_any comes_;
  std::deque<std::pair<http::request, http::responder>> waiting_;
  std::map<bytes, bytes> first_;       // the first answer to each question about rows
  std::vector<std::jthread> workers_;  // last, so that they end before what they use
};

}  // namespace

int main(int count, char** words) {
  const std::vector<std::string> given(words + 1, words + count);
  if (given.size() != 5 || std::ranges::find(lies, given[4]) == lies.end()) {
    std::fprintf(stderr, "usage: edge_liar LISTEN_HOST PORT FOLDER UPSTREAM LIE\n");
    return 2;
  }
  const auto upstream = http::parse_origin(given[3]);
  if (!upstream) {
    std::fprintf(stderr, "%s: %s\n", given[3].c_str(), std::string(upstream.error()).c_str());
    return 2;
  }
  const std::filesystem::path folder = given[2];
  const crypto::certificate_files files{folder / "liar.pem", folder / "liar.key"};
  if (!std::filesystem::exists(files.certificate)) {
    if (!public_tls::make_self_signed(files, {given[0]})) return 1;
  }
  const auto identity = public_tls::server_identity::load(files);
  if (!identity) return 1;
  liar lying(*upstream, given[4]);
  http::server_options options;
  options.listen_host = given[0];
  options.listen_port = static_cast<std::uint16_t>(std::stoul(given[1]));
  options.identity = *identity;
  options.body_limit = [](const http::request_head&) -> http::body_verdict { return 2U << 20U; };
  options.handler = [&](http::request asked, http::responder to) {
    lying.take(std::move(asked), std::move(to));
  };
  const http::server serving(std::move(options));
  std::printf("%s\n", http::to_text({true, given[0], serving.port(), (*identity)->pin()}).c_str());
  std::fflush(stdout);
  for (;;) std::this_thread::sleep_for(std::chrono::hours(1));  // until a signal ends it
}
