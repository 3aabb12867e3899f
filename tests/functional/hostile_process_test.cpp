// A validator of a running network in a hostile environment: strangers at its mesh port, a full
// disk, a system that halts it, and a system without free file descriptors.
#include <doctest/doctest.h>
#include <signal.h>
#include <sys/resource.h>

#include <cstdlib>
#include <thread>

#include "messages/wire/frame.hpp"
#include "tests/actors/mesh/hostile_peer.hpp"
#include "tests/functional/cluster.hpp"
#include "tests/functional/validator_network.hpp"

using namespace soma;
using namespace soma::support;
using soma::tests::hostile_peer;

namespace {

constexpr std::uint64_t mib = std::uint64_t{1} << 20U;
constexpr std::uint16_t certified_frames = 4;  // one more than the message's number in its schema
constexpr std::uint16_t response_frames = 7;

crypto::key_pair stranger(unsigned number) {
  std::array<std::uint8_t, 32> seed{};
  seed[31] = 0x5a;
  seed[0] = static_cast<std::uint8_t>(number);
  return crypto::key_pair::from_seed(seed);
}

bytes header_of(std::uint16_t type, std::uint32_t length) {
  auto header = make_frame(type, {});
  for (unsigned i = 0; i < 4; ++i) header[8 + i] = static_cast<std::uint8_t>(length >> (8 * i));
  return header;
}

/// Sends `piece` again and again. True when the other end closes the connection before so many
/// bytes.
bool is_cut_off(hostile_peer& peer, const bytes& piece, std::uint64_t at_most_bytes) {
  for (std::uint64_t sent = 0; sent < at_most_bytes; sent += piece.size()) {
    if (!peer.send(piece)) return true;
  }
  return peer.is_closed_within(3'000);
}

void limit(pid_t process, __rlimit_resource what, rlim_t most, rlimit* before = nullptr) {
  rlimit now{};
  REQUIRE(::prlimit(process, what, nullptr, &now) == 0);
  if (before != nullptr) *before = now;
  now.rlim_cur = most;
  REQUIRE(::prlimit(process, what, &now, nullptr) == 0);
}

std::size_t open_files(pid_t process) {
  std::size_t count = 0;
  for (const auto& one :
       std::filesystem::directory_iterator("/proc/" + std::to_string(process) + "/fd")) {
    count += one.path().empty() ? 0 : 1;
  }
  return count;
}

struct living_network : validator_network {
  living_network() : validator_network({.binary = SOMA_BINARY, .validators = 4}) {
    start_all();
    REQUIRE_MESSAGE(reaches(0, 3), said(0));
  }
  [[nodiscard]] std::string heights_and_words() {
    std::string text;
    for (std::size_t i = 0; i < size(); ++i) {
      text += std::to_string(i) + " at " + std::to_string(height(i)) + ", " + signing_state(i) +
              ": " + said(i) + "\n";
    }
    return text;
  }
  /// All validators vote, and there are new blocks.
  void check_well() {
    for (std::size_t i = 0; i < size(); ++i) {
      CAPTURE(i);
      REQUIRE_MESSAGE(reaches(i, greatest_height() + 2), heights_and_words());
      CHECK(comes_true([&] { return signing_state(i) == "member"; }));
    }
    for (std::size_t i = 0; i < size(); ++i) CHECK(stop(i));
    CHECK(fork() == "");
  }
};

}  // namespace

// By security §3.2, §5.2 and §5.3 the memory of a validator stays bounded, and by security §6.4 a
// peer is blamed for nonsense.
TEST_CASE("frames without measure cost a validator a little memory, and their sender the line") {
  living_network net;
  const auto& at = net.mesh(0);
  const auto before = net.memory_bytes(0);

  for (unsigned i = 0; i < 100; ++i) {  // not even TLS
    hostile_peer peer(at, "127.0.1." + std::to_string(1 + i % 20));
    (void)peer.send_raw(header_of(certified_frames, 0xffffffff));
    (void)peer.send_raw(bytes(100'000, 0x16));
  }
  CHECK(net.memory_bytes(0) < before + 16 * mib);

  {
    hostile_peer peer(at, "127.0.2.1");
    REQUIRE(peer.shake_hands(stranger(1)));
    CHECK(is_cut_off(peer, header_of(response_frames, 0xffffffff), 16));
  }
  {
    hostile_peer peer(at, "127.0.2.2");  // certificates with as many signers as a list can hold
    REQUIRE(peer.shake_hands(stranger(2)));
    CHECK(is_cut_off(peer, header_of(certified_frames, 65'536 * 64), 16));
  }
  {
    hostile_peer peer(at, "127.0.2.3");  // frames of the largest size without sense
    REQUIRE(peer.shake_hands(stranger(3)));
    CHECK(is_cut_off(peer, make_frame(response_frames, bytes(mib - 1024, 0)), 256 * mib));
  }
  {
    hostile_peer peer(at, "127.0.2.4");
    REQUIRE(peer.shake_hands(stranger(4)));
    bytes many;
    for (unsigned i = 0; i < 1'000; ++i) {
      const auto one = make_frame(1, bytes(8, 0));
      many.insert(many.end(), one.begin(), one.end());
    }
    CHECK(is_cut_off(peer, many, 64 * mib));
  }
  std::vector<std::unique_ptr<hostile_peer>> waiting;  // handshakes that never end
  for (unsigned i = 0; i < 64; ++i) {
    waiting.push_back(std::make_unique<hostile_peer>(at, "127.0.3." + std::to_string(1 + i / 8)));
    if (!waiting.back()->shake_hands(stranger(10 + i))) continue;
    (void)waiting.back()->send(header_of(response_frames, mib));
    (void)waiting.back()->send(bytes(mib / 2, 0));
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  const auto most = net.memory_bytes(0);
  MESSAGE("resident: " << before / mib << " MiB before, " << most / mib << " MiB with 64 of them");
  CHECK(most < before + 96 * mib);
  net.check_well();
}

// By security §10.4 a validator with a full disk is mute, but peers can read from it.
TEST_CASE("a validator whose disk is full does not vote, is read from, and comes back with room") {
  living_network net;
  rlimit roomy{};
  limit(net.id(0), RLIMIT_FSIZE, 4'096, &roomy);
  const auto height = net.greatest_height();
  REQUIRE(net.reaches(1, height + 4));
  REQUIRE(comes_true([&] {
    return net.said(0).find("no room") != std::string::npos ||
           net.said(0).find("the disk is full") != std::string::npos;
  }));
  CHECK(net.runs(0));
  CHECK(net.signing_state(0) != "member");
  const auto read = run_program(
      net.folder().path(), {SOMA_BINARY, "status", "--json", "--ledger", net.home(0).string()});
  CHECK_MESSAGE(read.exit_code == 0, read.err);
  CHECK(net.height(0) < net.height(1));
  limit(net.id(0), RLIMIT_FSIZE, roomy.rlim_cur);
  net.check_well();
}

TEST_CASE("a validator that was halted catches up") {
  const auto* wanted = std::getenv("SOMA_HALT_SECONDS");
  const auto seconds = wanted == nullptr ? 4 : std::atoi(wanted);
  living_network net;
  net.send(0, SIGSTOP);
  const auto height = net.greatest_height();
  std::this_thread::sleep_for(std::chrono::seconds(seconds));
  REQUIRE(net.reaches(1, height + 4));
  net.send(0, SIGCONT);
  net.check_well();
}

TEST_CASE("a validator without file descriptors to spare goes on, and takes calls again later") {
  living_network net;
  rlimit roomy{};
  limit(net.id(0), RLIMIT_NOFILE, open_files(net.id(0)), &roomy);
  std::vector<std::unique_ptr<hostile_peer>> callers;
  for (unsigned i = 0; i < 20; ++i) {
    callers.push_back(std::make_unique<hostile_peer>(net.mesh(0), "127.0.4.1"));
  }
  net.kill(1);
  net.start(1);
  const auto height = net.greatest_height();
  REQUIRE(net.reaches(2, height + 4));
  REQUIRE_MESSAGE(net.runs(0), net.said(0));
  limit(net.id(0), RLIMIT_NOFILE, roomy.rlim_cur);
  callers.clear();
  net.check_well();
}
