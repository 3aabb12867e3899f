// Fetches the weights of a registered model: the encrypted blob, proven by its name in the ledger,
// which is then decrypted in place and checked by the hash that its owner revealed.
#include "deploy/soma/model/model_options.hpp"
#include "deploy/soma/network/network_connection.hpp"
#include "deploy/soma/shell/console.hpp"
#include "deploy/soma/shell/files.hpp"
#include "deploy/soma/shell/report.hpp"
#include "deploy/soma/shell/units.hpp"
#include "deploy/soma/source/names.hpp"
#include "deploy/soma/verbs.hpp"
#include "messages/crypto/aes_ctr.hpp"
#include "messages/crypto/hash.hpp"

namespace soma::cli {
namespace {

namespace fs = std::filesystem;

class model_pull final : public verb {
 public:
  std::string_view name() const override { return "model pull"; }
  std::string_view summary() const override {
    return "fetch the weights of a model; after a stop or a kill, the same command continues";
  }
  std::string_view example() const override {
    return "soma model pull 0x3f9a21c4 -o pulled.safetensors --join https://gateway.example.org\n"
           "soma model pull 0x3f9a21c4 -o pulled.safetensors --force --config node.toml";
  }
  void declare(option_set& options) override {
    options.add("model", model_, "id of the model, at least its first 8 digits, or its name")
        .positional()
        .required()
        .shown_as("MODEL");
    options.add("output", output_, "the file to write; FILE.part beside it while it comes")
        .also('o')
        .required();
    options.add("version", version_, "its version; default: the active one").shown_as("N");
    options.add("force", force_, "replace a file that exists");
    options
        .add("blobs", blobs_,
             "address of the blob store; default: that of --config. A gateway needs none")
        .shown_as("HOST:PORT");
    place_.declare(options);
  }
  outcome run(const run_context& context) override;

 private:
  struct revealed {
    model_version_ref version;
    model_version_row row;
  };
  [[nodiscard]] expected<revealed, failure> find(network_connection& network) const;
  [[nodiscard]] outcome fetch(network_connection& network, const revealed& what,
                              const fs::path& part) const;

  std::string model_, blobs_;
  fs::path output_;
  std::optional<std::uint32_t> version_;
  bool force_ = false;
  ledger_place place_;
};

expected<model_pull::revealed, failure> model_pull::find(network_connection& network) const {
  const auto id = model_named(network, model_);
  if (!id) return make_unexpected(id.error());
  const auto row = network.row<model_row>(model_key(*id));
  if (!row) {
    return named(failure_names::not_found,
                 failed("there is no model " + id->text(), network.where() + " does not have it",
                        "`soma model list` shows all models"));
  }
  revealed out{{*id, version_.value_or(row->active_version)}, {}};
  const auto what =
      "version " + std::to_string(out.version.version) + " of model " + id->short_text();
  if (out.version.version == 0) {
    return failed("model " + id->short_text() + " has no active version",
                  "its weights are not revealed, or were not accepted",
                  "`soma model info " + id->short_text() +
                      "` shows its versions; name one with "
                      "--version");
  }
  const auto version = network.row<model_version_row>(model_version_key(out.version));
  if (!version) {
    return named(failure_names::not_found,
                 failed("there is no " + what, network.where() + " does not have it",
                        "`soma model info " + id->short_text() + "` shows its versions"));
  }
  if (version->weights.is_zero()) {
    return failed("cannot pull " + what, "its key is not revealed, so nobody can read its weights",
                  "wait for the epoch after the one of its commitment");
  }
  out.row = *version;
  return out;
}

outcome model_pull::fetch(network_connection& network, const revealed& what,
                          const fs::path& part) const {
  const auto& row = what.row;
  gateway_client::blob_file file(part);
  network.get_blob(row.manifest.root, row.manifest.size_bytes, file);
  crypto::aes_ctr cipher(row.key, row.manifest.iv);
  crypto::tagged_hash hash("soma.weights");
  file.rewrite([&](std::uint64_t at, std::span<std::uint8_t> chunk) {
    cipher.apply(at, chunk);
    hash.add(chunk);
  });
  if (hash.finish_as<weights_hash>() != row.weights) {
    std::error_code ignored;
    fs::remove(part, ignored);
    return failed("the weights of model " + what.version.model.short_text() + " are not usable",
                  "they are whole, and not what their owner revealed", "choose another version");
  }
  std::error_code error;
  fs::rename(part, output_, error);
  if (!error) return {};
  return named(failure_names::disk,
               failed("cannot write " + output_.string(), error.message(), "choose another -o"));
}

outcome model_pull::run(const run_context& context) {
  if (auto free = check_new_file(context, output_, force_); !free) return free;
  auto opened = network_connection::open(context, place_);
  if (!opened) return make_unexpected(opened.error());
  auto& network = **opened;
  if (auto connected = connect_blobs(context, network, "model pull", blobs_); !connected) {
    return connected;
  }
  const auto what = find(network);
  if (!what) return make_unexpected(what.error());
  const fs::path part = output_.string() + ".part";
  if (auto done = fetch(network, *what, part); !done) return done;
  remember_done("made " + output_.string());
  const auto& row = what->row;
  if (context.wants_json) {
    print_line(json::of({{"weights", output_.string()},
                         {"hash", row.weights.text()},
                         {"model", what->version.model.text()},
                         {"version", what->version.version},
                         {"blob", row.manifest.root.text()},
                         {"bytes", row.manifest.size_bytes}})
                   .text());
    return {};
  }
  print_line(output_.string() + ": " + to_text(byte_count{row.manifest.size_bytes}) + ", hash " +
             row.weights.text());
  print_line("model    " + what->version.model.text() + ", version " +
             std::to_string(what->version.version));
  return {};
}

}  // namespace

std::unique_ptr<verb> make_model_pull() {
  return std::make_unique<model_pull>();
}

}  // namespace soma::cli
