// What a gateway serves in a second, compared with nginx, which serves files of the same sizes to
// the same client, over TLS 1.3 with the same key, on the same processors.
//
// A rate alone would compare the client, once it is busy all the time: it works as hard for either
// server. Therefore the processor time of the server is measured too, and both ratios are printed.
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "deploy/soma/bench/scratch_folder.hpp"
#include "deploy/soma/bench_gateway/gateway_figures.hpp"
#include "deploy/soma/bench_gateway/gateway_rivals.hpp"
#include "deploy/soma/shell/console.hpp"
#include "deploy/soma/shell/stop.hpp"
#include "deploy/soma/shell/units.hpp"
#include "deploy/soma/verbs.hpp"
#include "messages/crypto/merkle.hpp"

namespace soma::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t max_subscribers = 1'000;  // a gateway takes 1,024 connections
constexpr std::size_t least_rounds = 3;

const std::string as_message = "Accept: application/x-capnp\r\n";

class bench_gateway final : public verb {
 public:
  std::string_view name() const override { return "bench gateway"; }
  std::string_view summary() const override {
    return "what a gateway serves in a second, compared with nginx";
  }
  std::string_view example() const override {
    return "soma bench gateway\nsoma bench gateway --seconds 60 --connections 64 --json";
  }
  void declare(option_set& options) override;
  outcome run(const run_context& context) override;

 private:
  using request_maker = std::function<std::optional<std::string>(std::size_t connection)>;

  [[nodiscard]] outcome check() const;
  [[nodiscard]] outcome measure_all();
  [[nodiscard]] outcome find_sizes();
  [[nodiscard]] outcome start_nginx();
  [[nodiscard]] outcome compare(std::string_view name, std::string_view text,
                                std::size_t connections, const request_maker& ours,
                                const std::string& file);
  [[nodiscard]] outcome compare_events();
  [[nodiscard]] outcome event_rounds(served_figures& into, double seconds);
  [[nodiscard]] outcome file_rounds(served_figures& into, double seconds);
  [[nodiscard]] outcome add_turn(served_figures& into, const load_plan& plan,
                                 const child_process& server);
  [[nodiscard]] std::string transfer_request(std::size_t number) const;

  double seconds_ = 20;
  std::uint32_t connections_ = 16, subscribers_ = max_subscribers;
  std::uint64_t seed_ = 0;
  fs::path dir_;

  std::unique_ptr<gateway_rivals> rivals_;
  processor_halves processors_;
  std::size_t next_transfer_ = 0;
  std::uint64_t asked_ = 0;
  std::uint64_t row_bytes_ = 0, receipt_bytes_ = 0, event_bytes_ = 0;
  std::vector<gateway_comparison> all_;

  // Each of the four comparisons has a part of the time, in which each server has its turns.
  [[nodiscard]] double part_s() const { return seconds_ / 4; }
  static constexpr std::size_t sending_connections = 16;
  static_assert(gateway_rivals::senders % sending_connections == 0,
                "all transfers of a sender go over one connection, so that they stay in order");
  static constexpr std::uint32_t blob_chunks = 16;
};

void bench_gateway::declare(option_set& options) {
  options.add("seconds", seconds_, "about how many seconds the measurements take");
  options.add("connections", connections_, "connections that ask for rows, each without a pause");
  options.add("subscribers", subscribers_, "clients that wait for an event, at most 1,000");
  options.add("seed", seed_, "seed of the keys, the transfers and the blob");
  options.add("dir", dir_, "folder where the network is made; it is removed afterwards")
      .shown_as("DIR");
}

outcome bench_gateway::check() const {
  if (!(seconds_ > 0 && seconds_ <= 3'600)) {
    return wrong_usage("--seconds", "it is not above 0 and at most 3,600", "try 20");
  }
  if (connections_ < 1 || connections_ > 512) {
    return wrong_usage("--connections", "it is not between 1 and 512", "try 16");
  }
  if (subscribers_ < 1 || subscribers_ > max_subscribers) {
    return wrong_usage("--subscribers", "it is not between 1 and 1,000", "try 1000");
  }
  // This process and the gateway have a descriptor for each connection.
  rlimit files{};
  (void)::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  (void)::setrlimit(RLIMIT_NOFILE, &files);
  if (files.rlim_cur < subscribers_ + connections_ + 200) {
    return failed("cannot open so many connections",
                  "a process may have " + std::to_string(files.rlim_cur) + " files",
                  "raise `ulimit -n`, or lower --subscribers");
  }
  return {};
}

unexpected<failure> cannot_measure(std::string_view what, const std::string& why) {
  return failed("cannot measure " + std::string(what), why, "report this");
}

/// One request and its answer. Returns the size of the body of a good answer.
expected<std::uint64_t, std::string> ask_once(load_connection& on, const std::string& request) {
  response_reader reader;
  bytes plain;
  if (!on.send(request)) return make_unexpected(std::string("the connection is gone"));
  for (int tries = 0; tries < 100; ++tries) {
    on.wait(100);
    plain.clear();
    if (!on.read(plain)) return make_unexpected(std::string("the connection is gone"));
    if (plain.empty() || !reader.take(plain)) continue;
    if (reader.status() < 300) return reader.body_bytes();
    return make_unexpected("the answer is " + std::to_string(reader.status()));
  }
  return make_unexpected(std::string("no answer within 10 s"));
}

std::string bench_gateway::transfer_request(std::size_t number) const {
  const auto offered = wallet::offer(rivals_->transfers()[number].sent);
  return bench_request("POST", "/v1/transactions", number,
                       "Content-Type: application/x-capnp\r\n" + as_message, offered.bytes());
}

outcome bench_gateway::add_turn(served_figures& into, const load_plan& plan,
                                const child_process& server) {
  const auto before = server.cpu_seconds();
  const auto found = run_load(plan);
  if (!found) return cannot_measure("a server", found.error());
  into.add(*found, server.cpu_seconds() - before);
  return {};
}

/// The order of the turns is ours, nginx, nginx, ours, so that neither is always the later one.
outcome bench_gateway::compare(std::string_view name, std::string_view text,
                               std::size_t connections, const request_maker& ours,
                               const std::string& file) {
  gateway_comparison made{name, std::string(text), {}, std::nullopt};
  const load_plan to_ours{rivals_->gateway(), connections, part_s() / 4, ours};
  auto done = add_turn(made.ours, to_ours, rivals_->node());
  if (done && rivals_->nginx() != nullptr) {
    made.peer.emplace();
    const auto request = [this, &file](std::size_t) {
      return std::optional(bench_request("GET", "/" + file, ++asked_));
    };
    const load_plan to_nginx{rivals_->nginx_server(), connections, part_s() / 2, request};
    done = add_turn(*made.peer, to_nginx, *rivals_->nginx());
  }
  if (done) done = add_turn(made.ours, to_ours, rivals_->node());
  if (!done) return done;
  if (made.ours.good == 0) {
    return cannot_measure(
        name, "no answer is good; the last has status " + std::to_string(made.ours.refusal));
  }
  all_.push_back(std::move(made));
  return {};
}

/// A round is an event, and is over when the last subscriber has it.
outcome bench_gateway::event_rounds(served_figures& into, double seconds) {
  event_subscribers readers;
  const auto asked = [](std::size_t i) {
    return bench_request("GET", "/v1/events?kind=transferred", i, "Accept: text/event-stream\r\n");
  };
  auto begun = readers.begin(rivals_->gateway(), subscribers_, asked, "event: transferred\n");
  if (!begun) return cannot_measure("events", begun.error());
  const auto sender = load_connection::open(rivals_->gateway());
  if (!sender) return cannot_measure("events", sender.error());
  const auto cpu_before = rivals_->node().cpu_seconds();
  double passed = 0;
  const auto start = std::chrono::steady_clock::now();
  for (std::size_t rounds = 0; rounds < least_rounds || passed < seconds; ++rounds) {
    const auto taken = ask_once(**sender, transfer_request(next_transfer_++));
    if (!taken) return cannot_measure("events", taken.error());
    receipt_bytes_ = *taken;
    const auto round = readers.await(1, 20);
    if (!round) return cannot_measure("events", round.error());
    into.good += subscribers_;
    into.seconds += round->seconds;
    into.client_cpu_seconds += round->client_cpu_seconds;
    into.ms.push_back(round->seconds * 1e3);
    passed = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }
  into.server_cpu_seconds += rivals_->node().cpu_seconds() - cpu_before;
  into.bytes = event_bytes_ = readers.bytes_of_one() / into.ms.size();
  return {};
}

outcome bench_gateway::file_rounds(served_figures& into, double seconds) {
  connection_set readers;
  if (auto opened = readers.open(rivals_->nginx_server(), subscribers_); !opened) {
    return cannot_measure("nginx", opened.error());
  }
  const auto cpu_before = rivals_->nginx()->cpu_seconds();
  const auto request = bench_request("GET", "/event", 0);
  for (std::size_t rounds = 0; rounds < least_rounds || into.seconds < seconds; ++rounds) {
    const auto round = run_volley(readers, request);
    if (!round) return cannot_measure("nginx", round.error());
    into.good += subscribers_;
    into.seconds += round->seconds;
    into.client_cpu_seconds += round->client_cpu_seconds;
    into.ms.push_back(round->seconds * 1e3);
  }
  into.server_cpu_seconds += rivals_->nginx()->cpu_seconds() - cpu_before;
  into.bytes = event_bytes_;
  return {};
}

outcome bench_gateway::compare_events() {
  gateway_comparison made{"events", "one event, each of " + std::to_string(subscribers_), {}, {}};
  auto done = event_rounds(made.ours, part_s() / 2);
  if (done) done = start_nginx();
  if (done && rivals_->nginx() != nullptr) {
    made.peer.emplace();
    done = file_rounds(*made.peer, part_s() / 2);
  }
  if (done) all_.push_back(std::move(made));
  return done;
}

outcome bench_gateway::find_sizes() {
  const auto on = load_connection::open(rivals_->gateway());
  if (!on) return cannot_measure("a gateway", on.error());
  const auto row = ask_once(
      **on, bench_request("GET", "/v1/accounts/" + rivals_->accounts()[0].text() + "?proof", 0,
                          as_message));
  if (!row) return cannot_measure("rows", row.error());
  row_bytes_ = *row;
  return {};
}

outcome bench_gateway::start_nginx() {
  const auto started = rivals_->start_nginx({{"row", row_bytes_},
                                             {"receipt", receipt_bytes_},
                                             {"event", event_bytes_},
                                             {"chunk", crypto::blob_chunk_bytes}});
  if (!started) return make_unexpected(started.error());
  if (!*started) {
    note_line(
        "nginx is not installed, so that there is nothing to compare with: apt-get install nginx");
  }
  return {};
}

outcome bench_gateway::measure_all() {
  // Events come first: their size decides how large a file of nginx is.
  auto done = find_sizes();
  if (done) done = compare_events();
  if (done) {
    done = compare(
        "rows", "a row with its proof", connections_,
        [this](std::size_t) {
          const auto& all = rivals_->accounts();
          const auto& account = all[++asked_ * 101 % all.size()];
          return std::optional(bench_request("GET", "/v1/accounts/" + account.text() + "?proof",
                                             asked_, as_message));
        },
        "row");
  }
  if (done) {
    std::vector<std::size_t> next(sending_connections);
    for (std::size_t i = 0; i < next.size(); ++i) {
      const auto first = next_transfer_ / sending_connections + 1;
      next[i] = first * sending_connections + i;
    }
    done = compare(
        "transactions", "a transaction taken", sending_connections,
        [this, next](std::size_t connection) mutable -> std::optional<std::string> {
          const auto number = std::exchange(next[connection], next[connection] + next.size());
          if (number >= rivals_->transfers().size()) return std::nullopt;
          return transfer_request(number);
        },
        "receipt");
  }
  if (done) {
    done = compare(
        "blobs", "a chunk of 1 MiB", std::min(connections_, 8U),
        [this](std::size_t) {
          const auto number = std::to_string(++asked_ % blob_chunks);
          return std::optional(bench_request(
              "GET", "/v1/blobs/" + rivals_->blob().text() + "/chunks/" + number, asked_));
        },
        "chunk");
  }
  return done;
}

outcome bench_gateway::run(const run_context& context) {
  if (auto fine = check(); !fine) return fine;
  const patient_stop until_removed;  // a stop leaves no folder behind
  const auto scratch = scratch_folder::make("soma-bench-gateway", dir_);
  if (!scratch) return make_unexpected(scratch.error());
  processors_ = split_processors();
  const bound_thread apart(processors_.client);
  gateway_rivals_options options;
  options.folder = fs::absolute(scratch->path());
  options.transfers = 2'000 + static_cast<std::size_t>(seconds_ * 1'500);
  options.blob_chunks = blob_chunks;
  options.seed = seed_;
  options.processors = processors_.servers;
  auto begun = gateway_rivals::begin(options);
  if (!begun) return make_unexpected(begun.error());
  rivals_ = std::move(*begun);
  auto done = measure_all();
  rivals_.reset();
  if (!done) return done;
  if (context.wants_json) {
    print_line(
        json::of({{"bench", name()},
                  {"seed", seed_},
                  {"connections", connections_},
                  {"subscribers", subscribers_},
                  {"server_processors", std::max<std::size_t>(1, processors_.servers.size())},
                  {"rows", figures_json(all_)}})
            .text());
  } else {
    print_figures(all_);
  }
  return {};
}

}  // namespace

std::unique_ptr<verb> make_bench_gateway() {
  return std::make_unique<bench_gateway>();
}

}  // namespace soma::cli
