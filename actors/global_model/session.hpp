// The steps with which every question to the global model begins: finding the experts and getting
// their predictions. One session serves one question. Pending answers of other roles keep it alive.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/global_model/global_model.hpp"
#include "actors/interface/describe_error.hpp"
#include "messages/codec/model_entry.hpp"
#include "messages/wire/refusals.hpp"
#include "model/mixture/mixture.hpp"

namespace soma::global_model {

struct expert {
  model_entry entry;
  std::uint32_t distance_q30 = 0;
};
using log_probs = std::vector<std::vector<float>>;  // natural logarithms [expert][position * 256]

/// The steps that a continuation and an evaluation share.
class session : public std::enable_shared_from_this<session> {
 public:
  session(global_model_actor::pointer self, const global_model_ports& ports)
      : self_(self), ports_(ports) {}
  virtual ~session() = default;

 protected:
  virtual void fail(ask_refusal why, const std::string& text) = 0;
  /// Called when experts_ and mixture_ are set.
  virtual void begin() = 0;

  void find_experts(byte_view text, std::uint32_t most) {
    sample_.assign(text.begin(), text.begin() + std::min(text.size(), probe_bytes));
    most_ = most;
    self_->request(ports_.registry, caf::infinite, message<schema::GetModels>{})
        .then(
            [me = shared_from_this()](const message<schema::Models>& models) { me->probe(models); },
            failing());
  }

  /// Gets all experts' distributions for one context and gives them to `then`, in the order of
  /// experts_. `last_only` asks for the distribution after the last byte alone.
  void predict(byte_view context, std::uint64_t offset, bool last_only,
               std::function<void(log_probs)> then) {
    SOMA_ASSERT(!experts_.empty() && !context.empty(), "experts that predict something");
    const auto wanted = last_only ? 256 : context.size() * 256;
    auto gathered = std::make_shared<log_probs>(experts_.size());
    auto left = std::make_shared<std::size_t>(experts_.size());
    for (std::size_t i = 0; i < experts_.size(); ++i) {
      self_
          ->request(ports_.scorer, caf::infinite,
                    message<schema::PredictRequest>::build([&](auto out) {
                      fill(out.initModel(), experts_[i].entry);
                      out.setContext(data_of(context));
                      out.setOffset(offset);
                      out.setLastOnly(last_only);
                    }))
          .then(
              [me = shared_from_this(), gathered, left, i, wanted,
               then](const message<schema::PredictReport>& report) {
                if (me->failed_) return;
                if (is_refused(report.root().getRefusal())) {
                  return me->fail_once(why_of(report.root().getRefusal()));
                }
                (*gathered)[i] = floats_of(report.root().getLogProbs());
                if ((*gathered)[i].size() != wanted) {
                  return me->fail_once("an expert's answer has not one distribution a position");
                }
                if (--*left == 0) then(std::move(*gathered));
              },
              failing());
    }
  }

  /// The mixture of every expert's distribution at `position`, over the 256 values of one byte.
  const mixture::byte_log_probs& mix(const log_probs& all, std::size_t position) {
    SOMA_ASSERT(all.size() == experts_.size(), "a distribution of each expert");
    std::vector<std::span<const float>> rows;
    for (const auto& of_expert : all) {
      rows.push_back(std::span(of_expert).subspan(position * 256, 256));
    }
    return mixture_->predict(rows);
  }

  void fill_shares(capnp::List<schema::ExpertShare>::Builder list,
                   std::span<const double> shares) const {
    const auto& costs = mixture_->expert_costs_bits();
    const auto seen = static_cast<double>(std::max<std::uint64_t>(1, mixture_->bytes_seen()));
    for (unsigned i = 0; i < experts_.size(); ++i) {
      fill(list[i].initRef(), experts_[i].entry.ref);
      list[i].setShare(shares[i]);
      list[i].setDistanceQ30(experts_[i].distance_q30);
      list[i].setBitsPerByte(costs[i] / seen);
    }
  }

  std::function<void(caf::error&)> failing() {
    return [me = shared_from_this()](caf::error& why) { me->fail_once(describe_error(why)); };
  }

  global_model_actor::pointer self_;
  global_model_ports ports_;
  std::vector<expert> experts_;
  std::optional<mixture::bayesian_mixture> mixture_;

 private:
  void fail_once(const std::string& why) {
    if (!failed_) fail(ask_refusal::scoring_failed, why);
    failed_ = true;
  }

  void probe(const message<schema::Models>& models) {
    const auto entries = models.root().getEntries();
    if (entries.size() == 0) return fail(ask_refusal::no_models, {});
    const auto count = std::min(entries.size(), max_probed_models);
    self_
        ->request(ports_.scorer, caf::infinite, message<schema::ScoreRequest>::build([&](auto out) {
                    auto list = out.initModels(count);
                    for (unsigned i = 0; i < count; ++i) list.setWithCaveats(i, entries[i]);
                    out.setData(data_of(sample_));
                    out.setSizeBytes(sample_.size());
                  }))
        .then([me = shared_from_this(), models](
                  const message<schema::ScoreReport>& report) { me->route(models, report.root()); },
              failing());
  }

  void route(const message<schema::Models>& models, schema::ScoreReport::Reader report) {
    if (is_refused(report.getRefusal())) return fail_once(why_of(report.getRefusal()));
    // A model whose numbers overflow binary32 on this text would make the mixture useless.
    std::vector<schema::ModelScore::Reader> sound;
    for (const auto result : report.getResults()) {
      if (result.getValid()) sound.push_back(result);
    }
    if (sound.empty()) return fail_once("no model has a valid score on this text");
    self_
        ->request(ports_.router, caf::infinite, message<schema::RouteQuery>::build([&](auto out) {
                    auto probes = out.initProbes(static_cast<unsigned>(sound.size()));
                    for (unsigned i = 0; i < sound.size(); ++i) {
                      probes[i].setRef(sound[i].getRef());
                      probes[i].setEmbedding(sound[i].getEmbedding());
                    }
                    out.setMost(most_);
                  }))
        .then([me = shared_from_this(), models](
                  const message<schema::Route>& route) { me->take_experts(models, route.root()); },
              failing());
  }

  void take_experts(const message<schema::Models>& models, schema::Route::Reader route) {
    std::vector<std::uint32_t> distances;
    for (const auto& item : route.getExperts()) {
      for (const auto& candidate : models.root().getEntries()) {
        auto entry = entry_of(candidate);
        if (!entry || entry->ref != ref_of(item.getRef())) continue;
        experts_.push_back({std::move(*entry), item.getDistanceQ30()});
        distances.push_back(item.getDistanceQ30());
        break;
      }
    }
    if (experts_.empty()) return fail(ask_refusal::no_models, {});
    mixture_.emplace(mixture::prior_from_distances(distances));
    begin();
  }

  bytes sample_;
  std::uint32_t most_ = 0;
  bool failed_ = false;
};

}  // namespace soma::global_model
