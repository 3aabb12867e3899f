#include "deploy/soma/bench_gateway/gateway_rivals.hpp"

#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <thread>

#include "deploy/soma/genesis/network_homes.hpp"
#include "deploy/soma/shell/files.hpp"
#include "deploy/soma/shell/stop.hpp"
#include "deploy/soma/shell/units.hpp"
#include "messages/crypto/hash.hpp"
#include "messages/crypto/public_tls/certificate.hpp"
#include "messages/signing/signing.hpp"
#include "messages/values/splitmix64.hpp"
#include "storage/blobs/blob_store.hpp"

namespace soma::cli {
namespace {

namespace fs = std::filesystem;
using steady = std::chrono::steady_clock;

constexpr auto patience = std::chrono::seconds(60);

crypto::key_pair key_of(std::uint64_t seed, std::uint64_t number) {
  return crypto::key_pair::from_seed(
      crypto::tagged_hash("bench.gateway.account").add_u64(seed).add_u64(number).finish().value);
}

bytes made_up_bytes(std::size_t size, std::uint64_t seed) {
  splitmix64 random(seed);
  bytes out;
  out.reserve(size + 8);
  while (out.size() < size) {
    const auto word = random.next();
    for (unsigned i = 0; i < 8; ++i) out.push_back(static_cast<std::uint8_t>(word >> (8 * i)));
  }
  out.resize(size);
  return out;
}

/// One worker for each processor, and nothing that costs more than it must.
std::string nginx_config(const fs::path& folder, const fs::path& home, std::uint16_t port,
                         std::size_t workers) {
  const auto at = folder.string();
  const auto temporary = [&](const std::string& name) {
    return "  " + name + "_temp_path \"" + at + "/" + name + "\";\n";
  };
  return std::string("daemon off;\n") + (::geteuid() == 0 ? "user root;\n" : "") + "pid \"" + at +
         "/pid\";\nerror_log \"" + at + "/errors\";\nworker_processes " + std::to_string(workers) +
         ";\nworker_rlimit_nofile 4096;\nevents { worker_connections 4096; }\nhttp {\n"
         "  access_log off;\n  sendfile on;\n  tcp_nodelay on;\n  keepalive_timeout 600;\n"
         "  keepalive_requests 100000000;\n  open_file_cache max=100;\n" +
         temporary("client_body") + temporary("proxy") + temporary("fastcgi") + temporary("uwsgi") +
         temporary("scgi") + "  server {\n    listen 127.0.0.1:" + std::to_string(port) +
         " ssl backlog=4096;\n    ssl_protocols TLSv1.3;\n    ssl_certificate \"" +
         (home / "gateway.pem").string() + "\";\n    ssl_certificate_key \"" +
         (home / "gateway.key").string() + "\";\n    ssl_session_tickets off;\n    root \"" + at +
         "/files\";\n  }\n}\n";
}

}  // namespace

fs::path find_nginx() {
  const auto* const named = std::getenv("PATH");
  std::istringstream folders(std::string(named == nullptr ? "" : named) + ":/usr/sbin");
  for (std::string folder; std::getline(folders, folder, ':');) {
    const auto file = fs::path(folder) / "nginx";
    if (!folder.empty() && ::access(file.c_str(), X_OK) == 0) return file;
  }
  return {};
}

std::string bench_request(std::string_view verb, const std::string& target, std::uint64_t number,
                          const std::string& headers, byte_view body) {
  const auto part = [number](unsigned shift) { return std::to_string((number >> shift) & 255U); };
  auto out = std::string(verb) + " " + target + " HTTP/1.1\r\nHost: bench\r\nX-Forwarded-For: 10." +
             part(8) + "." + part(0) + ".1\r\n" + headers;
  if (verb != "GET") out += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  out += "\r\n";
  out.append(reinterpret_cast<const char*>(body.data()), body.size());
  return out;
}

expected<std::unique_ptr<gateway_rivals>, failure> gateway_rivals::begin(
    const gateway_rivals_options& options) {
  std::unique_ptr<gateway_rivals> made(new gateway_rivals(options));
  auto done = made->make_network();
  if (done) done = made->make_blob();
  if (done) done = made->start_node();
  if (!done) return make_unexpected(std::move(done.error()));
  return made;
}

outcome gateway_rivals::make_network() {
  network_plan plan;
  plan.folder = options_.folder / "network";
  plan.validators = 1;
  const auto port = free_ports(4);
  if (!port) return failed("cannot start a gateway", "there are not enough free ports in a row");
  plan.first_port = *port;
  gateway_port_ = static_cast<std::uint16_t>(*port + 2);
  nginx_port_ = static_cast<std::uint16_t>(*port + 3);
  home_ = plan.folder / "validator-1";
  auto homes = network_homes::begin(std::move(plan));
  if (!homes) return make_unexpected(homes.error());

  genesis first;
  first.name = "bench";
  first.start_ms = unix_now_ms();
  first.parameters.architecture = {1, 16, 1, 16, 16};
  first.validators.push_back({homes->all().front().key, first.parameters.min_validator_stake});
  std::vector<crypto::key_pair> keys;
  for (std::uint32_t i = 0; i < options_.accounts; ++i) {
    if (i < senders) keys.push_back(key_of(options_.seed, i));
    accounts_.push_back(i < senders ? crypto::address_of(keys.back().public_half())
                                    : address{crypto::tagged_hash("bench.gateway.address")
                                                  .add_u64(options_.seed)
                                                  .add_u64(i)
                                                  .finish()
                                                  .value});
    first.accounts.push_back({accounts_.back(), {1'000 * shannons_per_soma}});
  }
  const auto chain = signing::chain_id_of(first);
  for (std::size_t i = 0; i < options_.transfers; ++i) {
    leave_if_stop_requested();
    const auto& to = accounts_[(i * 7 + 1) % senders];
    transfers_.push_back(wallet::make_signed_transaction(
        keys[i % senders], chain, i / senders, epoch_number{2}, tx::transfer{to, {1'000}}));
  }
  return homes->finish(first);
}

outcome gateway_rivals::make_blob() {
  blobs::blob_store store(home_ / "blobs");
  const auto put =
      store.put(made_up_bytes(std::size_t{options_.blob_chunks} << 20U, options_.seed));
  if (!put) return failed("cannot store a blob", std::string(to_text(put.error())));
  blob_ = *put;
  return {};
}

outcome gateway_rivals::start_node() {
  const crypto::certificate_files files{home_ / "gateway.pem", home_ / "gateway.key"};
  const auto made = public_tls::make_self_signed(files, {"127.0.0.1"});
  const auto pin = made ? public_tls::pin_of(files.certificate) : make_unexpected(made.error());
  if (!pin) return failed("cannot make a certificate", std::string(to_text(pin.error().why)));
  trust_ = public_tls::client_trust::pinned(*pin);
  {
    std::ofstream config(home_ / "node.toml", std::ios::app);
    config << "\n[roles.gateway]\nlisten = \"127.0.0.1:" << gateway_port_
           << "\"\nproxies = [\"127.0.0.1\"]\nevent_streams = 1024\n"
              "blob_bytes_per_second = \"64GiB\"\nblob_bytes_per_second_host = \"64GiB\"\n"
              "signature_checks_per_second = 1000000\nsignature_checks_per_second_host = 1000000\n";
    if (!config.flush()) return failed("cannot write " + (home_ / "node.toml").string(), "");
  }
  node_.emplace(child_process::setting{
      .words = {"soma", "node", "run", "--config", (home_ / "node.toml").string()},
      .log = home_ / "log",
      .processors = options_.processors});
  return wait_for(*node_, gateway(), "the gateway");
}

/// Until the server answers 200: a gateway has a block then, so that it can prove rows.
outcome gateway_rivals::wait_for(const child_process& process, const load_server& server,
                                 std::string_view name) const {
  const auto start = steady::now();
  std::string why;
  const auto target = "/v1/accounts/" + accounts_.front().text() + "?proof";
  for (std::uint64_t tries = 0; steady::now() - start < patience; ++tries) {
    leave_if_stop_requested();
    if (!process.runs()) return failed(std::string(name) + " does not start", process.said());
    const auto asked = run_load({server, 1, 5, [&, left = 1](std::size_t) mutable {
                                   return left-- > 0
                                              ? std::optional(bench_request("GET", target, tries))
                                              : std::nullopt;
                                 }});
    if (asked && (asked->good > 0 || asked->refusal == 404)) return {};
    why = asked ? "it answers " + std::to_string(asked->refusal) : asked.error();
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  return failed(std::string(name) + " does not answer", why + "; " + process.said());
}

expected<bool, failure> gateway_rivals::start_nginx(
    const std::map<std::string, std::size_t>& files) {
  const auto program = find_nginx();
  if (program.empty()) return false;
  const auto folder = options_.folder / "nginx";
  std::error_code refused;
  fs::create_directories(folder / "files", refused);
  if (refused) return failed("cannot make " + folder.string(), refused.message());
  for (const auto& [name, size] : files) {
    const auto content = made_up_bytes(size, options_.seed);
    if (auto done = write_named_file(folder / "files" / name, content, true); !done) {
      return make_unexpected(done.error());
    }
  }
  const auto config = nginx_config(folder, home_, nginx_port_,
                                   std::max<std::size_t>(1, options_.processors.size()));
  if (auto done = write_named_file(folder / "nginx.conf", as_bytes(config), true); !done) {
    return make_unexpected(done.error());
  }
  nginx_.emplace(child_process::setting{
      .words = {"nginx", "-p", folder.string(), "-c", (folder / "nginx.conf").string(), "-e",
                (folder / "errors").string()},
      .log = folder / "log",
      .program = program,
      .processors = options_.processors});
  if (auto done = wait_for(*nginx_, nginx_server(), "nginx"); !done) {
    return make_unexpected(done.error());
  }
  return true;
}

}  // namespace soma::cli
