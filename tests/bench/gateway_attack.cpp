// Attacks a gateway from many addresses of the loopback network, while an honest client asks for a
// proven row again and again. Prints the honest rate before and during each attack, and the memory.
//   gateway_attack [seconds of each measurement]
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "tests/actors/gateway/served_ledger.hpp"

namespace {

using namespace soma;
using test::raw_client;

std::size_t resident_mib() {
  std::ifstream status("/proc/self/statm");
  std::size_t whole = 0, resident = 0;
  status >> whole >> resident;
  return resident * 4'096 >> 20U;
}

struct attack {
  const char* name;
  std::size_t connections;  // that are held open
  std::string first;        // what each sends at once
  std::string again;        // what all send again and again
  int receive_bytes = 0;    // of their sockets; 0: the system chooses
};

/// Honest answers a second. The client waits 2 ms between two questions.
double honest_rate(std::uint16_t port, double seconds, const std::string& target) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  http::client_options how;
  how.server = {false, "127.0.0.1", port, std::nullopt};
  http::client client(how);
  std::size_t good = 0;
  while (std::chrono::steady_clock::now() < end) {
    const auto got = client.send({http::method::get, target, {}, nullptr});
    if (got && got->status == 200) ++good;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return static_cast<double>(good) / seconds;
}

/// Holds the connections until `over`. Those that are cut come again.
void assault(const attack& what, std::uint16_t port, const std::atomic<bool>& over) {
  std::vector<std::unique_ptr<raw_client>> held(what.connections);
  for (std::size_t i = 0; !over; i = (i + 1) % held.size()) {
    const auto from = "127." + std::to_string(1 + i / 250) + "." + std::to_string(i % 250) + ".1";
    try {
      if (!held[i] || (!what.again.empty() && !held[i]->send(what.again))) {
        held[i] = std::make_unique<raw_client>(
            port, raw_client::setting{.from = from, .receive_bytes = what.receive_bytes});
        held[i]->send(what.first);
      }
    } catch (const std::exception&) {
      held[i].reset();
    }
    if (what.again.empty()) std::this_thread::sleep_for(std::chrono::microseconds(500));
  }
}

}  // namespace

int main(int count, char** words) {
  const double seconds = count > 1 ? std::atof(words[1]) : 3;
  test::served_ledger served([](auto& options) {
    options.limits = {};
    options.limits.requests_per_second = options.limits.requests_burst = 100'000;  // of the honest
  });
  for (int i = 0; i < 50; ++i) served.grow(40);
  const std::string get = "GET /v1/network HTTP/1.1\r\nHost: h\r\n\r\n";
  std::string flood;
  for (int i = 0; i < 100; ++i) flood += get;
  const std::string events = "GET /v1/events?from=0:0 HTTP/1.1\r\nHost: h\r\n\r\n";
  const attack all[] = {
      {"slow headers", 1'000, "GET /v1/network HTTP/1.1\r\nX: ", ""},
      {"slow readers", 1'000, events, "", 2'048},
      {"garbage", 50, "\x16\x03garbage\r\n\r\n", "\x01\x02 not HTTP\r\n\r\n"},
      {"pipelining", 50, flood, flood},
      {"streams", 600, events, ""},
  };
  const auto target = "/v1/accounts/" + test::address_of(1).text() + "?proof";
  for (const auto& one : all) {
    const auto before = honest_rate(served.port(), seconds, target);
    std::atomic<bool> over{false};
    std::thread attacker([&] { assault(one, served.port(), over); });
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    const auto during = honest_rate(served.port(), seconds, target);
    const auto memory = resident_mib();
    over = true;
    attacker.join();
    std::printf("%-14s %4.0f answers a second before, %4.0f during (%.2f), %zu MiB\n", one.name,
                before, during, during / before, memory);
    std::fflush(stdout);
  }
}
