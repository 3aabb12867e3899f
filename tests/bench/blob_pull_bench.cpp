// Pulls a blob through gateways of which one lies and one is killed in the middle, beside one curl
// of the whole file from one gateway, over TLS on loopback. Prints the rates and their ratio.
//   blob_pull_bench [MiB] [rounds] [null]
// With `null` neither writes what comes, so that the pages of new files are not measured.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <random>
#include <thread>

#include "actors/gateway_client/blob_file.hpp"
#include "actors/gateway_client/http_blobs.hpp"
#include "messages/crypto/merkle.hpp"
#include "messages/crypto/public_tls/certificate.hpp"
#include "tests/actors/gateway/served_ledger.hpp"
#include "tests/support/scratch.hpp"

namespace {

using namespace soma;
using clock_type = std::chrono::steady_clock;
constexpr std::size_t chunk = crypto::blob_chunk_bytes;

/// Processor time of this process, with its gateways, and of the curls that have ended.
double processor_seconds() {
  double all = 0;
  for (const int who : {RUSAGE_SELF, RUSAGE_CHILDREN}) {
    struct rusage used {};
    ::getrusage(who, &used);
    for (const auto& part : {used.ru_utime, used.ru_stime}) {
      all += static_cast<double>(part.tv_sec) + 1e-6 * static_cast<double>(part.tv_usec);
    }
  }
  return all;
}

double seconds_since(clock_type::time_point start) {
  return std::chrono::duration<double>(clock_type::now() - start).count();
}

blob_id make_blob(const std::filesystem::path& folder, std::size_t chunks) {
  blobs::blob_store store(folder);
  const auto content = [](std::uint32_t number) {
    std::mt19937_64 random(number);
    return test::random_bytes(random, chunk);
  };
  std::vector<hash256> hashes;
  for (std::uint32_t i = 0; i < chunks; ++i) hashes.push_back(crypto::chunk_hash(content(i)));
  auto put = store.begin_put(chunks * chunk, hashes).value();
  for (std::uint32_t i = 0; i < chunks; ++i) {
    if (!put.put_chunk(i, content(i))) std::abort();
  }
  return put.finish().value();
}

struct world {
  test::scratch_directory folder;
  std::shared_ptr<const public_tls::server_identity> identity;
  blob_id blob;
  std::size_t chunks;
  bool writes;

  world(std::size_t count, bool to_disk) : chunks(count), writes(to_disk) {
    const crypto::certificate_files files{folder.path() / "a.pem", folder.path() / "a.key"};
    if (!public_tls::make_self_signed(files, {"localhost"})) std::abort();
    identity = *public_tls::server_identity::load(files);
    blob = make_blob(folder.path() / "blobs", chunks);
  }
  [[nodiscard]] std::unique_ptr<test::served_ledger> gateway() const {
    blobs::blob_options options;
    options.read_only = true;
    return std::make_unique<test::served_ledger>(
        [&](auto& how) {
          how.identity = identity;
          how.blob_rates.all_per_second = how.blob_rates.host_per_second = std::uint64_t{1} << 36U;
        },
        std::make_shared<blobs::blob_store>(folder.path() / "blobs", options));
  }
  [[nodiscard]] gateway_client::blob_gateway client(const test::served_ledger& of,
                                                    const std::string& name) const {
    gateway_client::http_fetch_options how;
    how.at = {true, "127.0.0.1", of.port(), identity->pin()};
    auto made = gateway_client::make_blob_gateway(how, 2);
    made.name = name;
    return made;
  }
};

/// Seconds of one curl of the whole file.
double curl(const world& at) {
  const auto gateway = at.gateway();
  const auto url =
      "https://127.0.0.1:" + std::to_string(gateway->port()) + "/v1/blobs/" + at.blob.text();
  const auto to = at.writes ? (at.folder.path() / "curled").string() : std::string("/dev/null");
  const auto start = clock_type::now();
  const auto child = ::fork();
  if (child == 0) {
    ::execl("/usr/bin/curl", "curl", "-sSk", "-H", "Accept: application/octet-stream", "-o",
            to.c_str(), url.c_str(), nullptr);
    ::_exit(127);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  const auto took = seconds_since(start);
  if (status != 0) std::abort();
  if (at.writes && std::filesystem::file_size(to) != at.chunks * chunk) std::abort();
  if (at.writes) std::filesystem::remove(to);
  return took;
}

/// One byte is wrong: of the first chunk that is asked for behind this one.
void let_lie(gateway_client::blob_gateway& gateway, std::uint32_t number) {
  const auto has_lied = std::make_shared<std::atomic<bool>>(false);
  for (auto& port : gateway.connections) {
    port.read = [read = port.read, has_lied, number](const blob_id& blob, std::uint64_t from,
                                                     std::uint64_t size,
                                                     const gateway_client::byte_taker& take) {
      const bool is_behind = from >= std::uint64_t{number} * chunk;
      return read(blob, from, size, [&](byte_view piece) {
        if (!is_behind || has_lied->exchange(true)) return take(piece);
        bytes changed(piece.begin(), piece.end());
        changed.front() ^= 1;
        return take(changed);
      });
    };
  }
}

/// Seconds of a pull. The first gateway lies at a quarter; the second is killed at the half.
double pull(const world& at, std::size_t gateways, bool lies, bool dies) {
  std::vector<std::unique_ptr<test::served_ledger>> served;
  std::vector<gateway_client::blob_gateway> clients;
  for (std::size_t i = 0; i < gateways; ++i) {
    served.push_back(at.gateway());
    clients.push_back(at.client(*served.back(), std::string(1, static_cast<char>('a' + i))));
  }
  if (lies) let_lie(clients.front(), static_cast<std::uint32_t>(at.chunks / 4));
  const auto path = at.folder.path() / "pulled";
  std::string left;
  std::thread killer;
  const auto start = clock_type::now();
  {
    gateway_client::blob_file file(path);
    auto sink = file.sink();
    if (!at.writes) {
      sink.begin = [](const gateway_client::blob_outline&) { return std::vector<bool>{}; };
      sink.put = [](std::uint32_t, byte_view) {};
    }
    bool has_killed = false;
    sink.progress = [&](std::uint32_t have, std::uint32_t all) {
      if (!dies || has_killed || have < all / 2) return;
      has_killed = true;
      killer = std::thread([&] { served[lies ? 1 : 0].reset(); });
    };
    gateway_client::pull_options options;
    options.gateways.on_left = [&](const std::string& name, const gateway_client::refusal& why) {
      left += "; left " + name + ": " + std::string(to_text(why.reason));
    };
    const auto got = pull_blob(at.blob, at.chunks * chunk, clients, sink, options);
    if (!got) {
      std::printf("the pull failed: %s\n", to_text(got.error()).c_str());
      std::abort();
    }
  }
  const auto took = seconds_since(start);
  if (killer.joinable()) killer.join();
  std::filesystem::remove(path);
  std::printf("  %zu gateways%s\n", gateways, left.c_str());
  return took;
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t chunks = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1'024;
  const int rounds = argc > 2 ? std::atoi(argv[2]) : 1;
  const world at(chunks, argc <= 3);
  const auto mib = static_cast<double>(chunks);
  for (int i = 0; i < rounds; ++i) {
    // The first run of each meets pages that the system has yet to find; it is not counted.
    (void)curl(at);
    (void)pull(at, 2, false, false);
    auto before = processor_seconds();
    const auto whole = mib / curl(at);
    std::printf("curl of one gateway: %.0f MiB/s, %.1f s of processor time\n", whole,
                processor_seconds() - before);
    const auto measure = [&](const char* what, std::size_t gateways, bool lies, bool dies) {
      before = processor_seconds();
      const auto rate = mib / pull(at, gateways, lies, dies);
      std::printf("pull, %s: %.0f MiB/s, %.2f of curl, %.1f s of processor time\n", what, rate,
                  rate / whole, processor_seconds() - before);
      std::fflush(stdout);
    };
    measure("two sound gateways", 2, false, false);
    measure("two, one killed at the half", 2, false, true);
    measure("two, one gives a wrong chunk", 2, true, false);
    measure("three, one gives a wrong chunk and one is killed at the half", 3, true, true);
  }
}
