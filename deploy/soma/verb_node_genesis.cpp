// The smallest network there is: one validator, the defaults of the protocol.
#include <chrono>
#include <fstream>

#include "actors/rules/genesis_state.hpp"
#include "deploy/soma/console.hpp"
#include "deploy/soma/files.hpp"
#include "deploy/soma/model_options.hpp"
#include "deploy/soma/verbs.hpp"
#include "messages/crypto/key_file.hpp"
#include "messages/crypto/random.hpp"
#include "messages/types/codec.hpp"

namespace soma {
namespace {

namespace fs = std::filesystem;

class node_new_genesis final : public verb {
 public:
  std::string_view name() const override { return "node new-genesis"; }
  std::string_view summary() const override {
    return "make the genesis of a network with one validator";
  }
  std::string_view example() const override {
    return "soma node new-genesis --validator-key validator.key --output genesis.bin --arch tiny";
  }
  void declare(option_set& options) override {
    options.add("validator-key", key_, "made, without a passphrase, if it is missing").required();
    options.add("output", output_, "the file to write").also('o').required();
    options.add("network", network_, "name of the network").shown_as("NAME");
    options.add("arch", arch_, architecture_help).shown_as("A");
    options.add("epoch-seconds", epoch_seconds_, "length of an epoch");
  }
  outcome run(const run_context& context) override;

 private:
  [[nodiscard]] expected<crypto::key_pair, failure> key() const;

  fs::path key_, output_;
  std::string network_ = "soma", arch_ = "v1";
  std::uint64_t epoch_seconds_ = 86'400;
};

expected<crypto::key_pair, failure> node_new_genesis::key() const {
  const auto refused = [&](crypto::key_file_refusal why) {
    return failed("cannot use the key " + key_.string(), std::string(crypto::to_text(why)),
                  "name a key file without a passphrase, or a place for a new one");
  };
  auto loaded = crypto::load_key(key_, std::nullopt);
  if (loaded) return std::move(*loaded);
  if (loaded.error() != crypto::key_file_refusal::not_found) return refused(loaded.error());
  crypto::system_random random;
  auto made = crypto::key_pair::generate(random);
  if (auto saved = crypto::save_key(key_, made, std::nullopt); !saved) {
    return refused(saved.error());
  }
  return made;
}

outcome node_new_genesis::run(const run_context& context) {
  using namespace std::chrono;
  const auto arch = architecture_of(arch_);
  if (!arch) return make_unexpected(arch.error());
  if (auto free = check_new_file(output_, false); !free) return free;
  if (epoch_seconds_ < 1 || epoch_seconds_ > 366 * 86'400) {
    return wrong_usage("--epoch-seconds", "the value is not 1 second to a year");
  }
  const auto validator = key();
  if (!validator) return make_unexpected(validator.error());
  genesis born;
  born.name = network_;
  born.start_ms = static_cast<std::uint64_t>(
      duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count());
  born.parameters.architecture = *arch;
  born.parameters.epoch_ms = epoch_seconds_ * 1'000;
  born.validators.push_back(
      {validator->public_half(), shannons{born.parameters.min_validator_stake}});
  if (const auto refusal = rules::check_genesis(born)) {
    return failed("cannot make this genesis", std::string(rules::to_text(*refusal)),
                  "see `soma node new-genesis --help`");
  }
  const auto content = encode(born);
  std::ofstream file(output_, std::ios::binary);
  file.write(reinterpret_cast<const char*>(content.data()),
             static_cast<std::streamsize>(content.size()));
  file.close();
  if (!file) return failed("cannot write " + output_.string(), "the disk did not take it");
  const auto chain = rules::chain_id_of(born).text();
  if (context.wants_json) {
    print_line(json::of({{"genesis", output_.string()}, {"chain", chain}}).text());
  } else {
    print_line("genesis  " + output_.string());
    print_line("chain    " + chain);
  }
  return {};
}

}  // namespace

std::unique_ptr<verb> make_node_new_genesis() {
  return std::make_unique<node_new_genesis>();
}

}  // namespace soma
