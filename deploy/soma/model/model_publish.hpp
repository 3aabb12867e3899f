// Publishes a model on the network: its weights go encrypted into the blob store, a commitment to
// them is sent in one epoch, and they are revealed in the next. Protocol §6. They are revealed only
// when members with a quorum of the committee's power say that they have them (security §9.6), or
// when the user says that it need not be. If the command was stopped or killed, the same command
// given again continues at the point where the first one was.
#pragma once

#include "deploy/soma/model/weights_copies.hpp"
#include "deploy/soma/send/publication.hpp"
#include "deploy/soma/send/sending.hpp"
#include "deploy/soma/verbs.hpp"
#include "model/weights/weights.hpp"

namespace soma::cli {

class model_publish final : public verb {
 public:
  std::string_view name() const override { return "model publish"; }
  std::string_view summary() const override {
    return "put a model on the network; after a stop or a kill, the same command continues";
  }
  std::string_view example() const override {
    return "soma model publish w.safetensors --data ~/src --stake 10 --from alice --config "
           "node.toml\n"
           "soma model publish w.safetensors --data ~/src --from alice --join "
           "https://gateway.example.org\n"
           "soma model publish better.safetensors --data ~/src --model 0x3f9a21c4 --from alice "
           "--config "
           "node.toml";
  }
  void declare(option_set& options) override;
  outcome run(const run_context& context) override;

 private:
  /// A commitment that a block has taken.
  struct committed {
    model_version_ref version;
    epoch_number epoch;
  };
  [[nodiscard]] outcome load(const run_context& context);
  [[nodiscard]] outcome prepare(const run_context& context, publication_file& file);
  [[nodiscard]] expected<std::vector<float>, failure> speciality(const run_context& context) const;
  [[nodiscard]] outcome try_out();
  [[nodiscard]] outcome upload(const run_context& context);
  [[nodiscard]] expected<committed, failure> commit(publication_file& file);
  [[nodiscard]] expected<std::optional<committed>, failure> find_commitment(publication_file& file);
  [[nodiscard]] expected<committed, failure> deliver_commitment();
  [[nodiscard]] std::optional<committed> version_of(const signed_transaction& commit) const;
  [[nodiscard]] expected<bool, failure> wait_for(epoch_number epoch, const std::string& what) const;
  [[nodiscard]] outcome reveal(publication_file& file, const committed& at);
  [[nodiscard]] outcome await_copies(const committed& at);
  void upload_elsewhere();
  [[nodiscard]] outcome without_quorum(const committed& at, const std::string& problem,
                                       const std::string& why) const;
  [[nodiscard]] outcome missed(publication_file& file, const committed& at,
                               const std::string& why) const;
  [[nodiscard]] outcome judged_bad(publication_file& file, const committed& at,
                                   const model_version_row& row) const;
  [[nodiscard]] outcome not_accepted(publication_file& file, const committed& at,
                                     const model_version_row& row) const;
  [[nodiscard]] outcome wait_for_verdict(publication_file& file, const committed& at) const;
  void report(const run_context& context, const committed& at) const;
  void report_dry_run(const run_context& context, const foreseen& effect) const;

  std::filesystem::path weights_path_;
  std::vector<std::filesystem::path> data_;
  std::string stake_, model_, blobs_;
  std::optional<std::uint32_t> commission_bps_;
  bool wait_ = true;
  bool reveals_without_copies_ = false;
  sender_options sender_options_;

  std::optional<sender> sender_;
  std::optional<weights::model_weights> weights_;
  std::optional<model_id> update_of_;
  publication publication_;
  std::uint64_t size_bytes_ = 0;
  blob_id root_;
  copy_count copies_;
};

}  // namespace soma::cli
