#include "actors/scorer/scorer_worker.hpp"

#include <algorithm>

#include "actors/blob_store/transfer.hpp"
#include "actors/interface/describe_error.hpp"
#include "actors/scorer/competition.hpp"
#include "actors/scorer/model_loading.hpp"
#include "messages/wire/refusals.hpp"

namespace soma::scorer {

const char* to_text(work_refusal refusal) {
  switch (refusal) {
    case work_refusal::none:
      return "done";
    case work_refusal::bad_request:
      return "the request is not what a scorer is asked for";
    case work_refusal::data_unavailable:
      return "the data is not in the blob store";
    case work_refusal::wrong_size:
      return "the data is not as long as was said";
    case work_refusal::model_unavailable:
      return "a model's weights are not in the blob store";
    case work_refusal::bad_model:
      return "a model's weights are not what was revealed";
    case work_refusal::busy:
      return "the queue is full: ask again later";
    case work_refusal::worker_lost:
      return "every worker that tried this was lost";
    case work_refusal::failed:
      return "the engine could not do it";
  }
  return "unknown";
}

void fill_refusal(schema::Refusal::Builder out, work_refusal refusal, std::string_view why) {
  out.setScorer(schema_refusal<schema::ScorerRefusal>(refusal));
  out.setWhy(bounded_why(why.empty() ? to_text(refusal) : why));
}

work_refusal work_refusal_of(schema::Refusal::Reader refusal) {
  if (!is_refused(refusal)) return work_refusal::none;
  if (!refusal.isScorer()) return work_refusal::failed;
  return refusal_of_schema<work_refusal>(refusal.getScorer());
}

namespace {

// ---- scoring

struct scoring {
  std::shared_ptr<const std::vector<model_entry>> entries;
  loaded_models loaded;
  bytes data;
  std::uint64_t seed = 0;
  std::vector<float> point;
  bool winner_only = false;
  contest_result result;
  std::string failure;
};

/// Scores, on the background thread. Sets `failure` when there is no result.
void compute(scoring& work) {
  std::vector<competitor> competitors;
  for (std::size_t i = 0; i < work.loaded.size(); ++i) {
    const auto& entry = (*work.entries)[i];
    const auto& model = work.loaded[i];
    competitors.push_back({model ? model->engine.get() : nullptr,
                           model ? model->architecture : model_architecture{}, entry.weights,
                           entry.ref, entry.activation_order});
  }
  auto result = compete(competitors, {work.data, work.seed, work.point, work.winner_only});
  if (result) {
    work.result = std::move(*result);
  } else {
    work.failure = soma::scoring::to_text(result.error());
  }
}

message<schema::ScoreReport> report(const scoring& work) {
  return message<schema::ScoreReport>::build([&](auto out) {
    const auto& result = work.result;
    out.setWinner(result.winner);
    out.setDistanceQ30(result.distance_q30);
    out.setData(data_of(result.data));
    auto list = out.initResults(static_cast<unsigned>(result.entries.size()));
    for (unsigned i = 0; i < result.entries.size(); ++i) {
      const auto& entry = result.entries[i];
      auto item = list[i];
      fill(item.initRef(), (*work.entries)[i].ref);
      item.setGivenUp(entry.given_up);
      if (entry.given_up) continue;
      const auto& score = entry.score;
      item.setValid(score.valid);
      item.setLoss(score.loss);
      item.setCrossEntropy(score.cross_entropy);
      item.setSigreg(score.sigreg);
      item.setBitsPerByte(score.bits_per_byte);
      fill(item.initEmbedding(static_cast<unsigned>(score.embedding.size())), score.embedding);
      item.setDigest(data_of(entry.digest));
    }
  });
}

/// A function that answers once and then lets the worker accept one request more.
template <class Reply>
std::function<void(message<Reply>)> answer(worker_pointer self,
                                           caf::typed_response_promise<message<Reply>> promise) {
  ++self->state.in_flight;
  return [self, promise](message<Reply> reply) mutable {
    SOMA_ASSERT(self->state.in_flight > 0, "each piece of work is answered once");
    --self->state.in_flight;
    promise.deliver(std::move(reply));
  };
}

void score(worker_pointer self, const scorer_worker_ports& ports, std::shared_ptr<scoring> work,
           std::function<void(message<schema::ScoreReport>)> reply) {
  load_models(self, ports, work->entries, [=](expected<loaded_models, load_failure> loaded) {
    using report_type = schema::ScoreReport;
    if (!loaded) return reply(refused<report_type>(loaded.error().refusal, loaded.error().why));
    work->loaded = std::move(*loaded);
    in_background(
        self, ports, [work] { compute(*work); },
        [=] {
          reply(work->failure.empty() ? report(*work)
                                      : refused<report_type>(work_refusal::failed, work->failure));
        },
        [=](std::string why) { reply(refused<report_type>(work_refusal::failed, why)); });
  });
}

/// A store that is gone says nothing about the data, so the data is not called unavailable then.
work_refusal refusal_of(blob_store::transfer_refusal why) {
  switch (why) {
    case blob_store::transfer_refusal::wrong_size:
      return work_refusal::wrong_size;
    case blob_store::transfer_refusal::unavailable:
      return work_refusal::data_unavailable;
    default:
      return work_refusal::failed;
  }
}

void begin_score(worker_pointer self, const scorer_worker_ports& ports,
                 schema::ScoreRequest::Reader request,
                 std::function<void(message<schema::ScoreReport>)> reply) {
  using report_type = schema::ScoreReport;
  auto entries = std::make_shared<std::vector<model_entry>>();
  for (const auto& item : request.getModels()) {
    auto entry = entry_of(item);
    if (!entry) return reply(refused<report_type>(work_refusal::bad_request));
    entries->push_back(std::move(*entry));
  }
  const auto size = request.getSizeBytes();
  if (entries->empty() || entries->size() > max_models_per_request || size == 0 ||
      size > blob_store::chunk_bytes) {
    return reply(refused<report_type>(work_refusal::bad_request));
  }
  auto work = std::make_shared<scoring>();
  work->entries = std::move(entries);
  work->seed = request.getSeed();
  work->point = floats_of(request.getPoint());
  work->winner_only = request.getWinnerOnly();
  if (request.getData().size() != 0) {
    if (request.getData().size() != size)
      return reply(refused<report_type>(work_refusal::wrong_size));
    work->data = bytes_of(request.getData());
    return score(self, ports, std::move(work), std::move(reply));
  }
  blob_store::fetch_blob(self, ports.blobs, id_or_zero<blob_id>(request.getBlob()), size,
                         [=](expected<bytes, blob_store::transfer_refusal> data) {
                           if (!data) return reply(refused<report_type>(refusal_of(data.error())));
                           work->data = std::move(*data);
                           score(self, ports, work, reply);
                         });
}

// ---- prediction and checks

void predict(worker_pointer self, const scorer_worker_ports& ports,
             schema::PredictRequest::Reader request,
             std::function<void(message<schema::PredictReport>)> reply) {
  using report_type = schema::PredictReport;
  auto entry = entry_of(request.getModel());
  const auto size = request.getContext().size();
  // Positions are 32-bit byte offsets.
  if (!entry || size == 0 || size > UINT32_MAX || request.getOffset() > UINT32_MAX - size) {
    return reply(refused<report_type>(work_refusal::bad_request));
  }
  auto context = bytes_of(request.getContext());
  const auto offset = request.getOffset();
  const bool last_only = request.getLastOnly();
  load_model(self, ports, *entry, [=](loading result) {
    if (!result.model) return reply(refused<report_type>(result.refusal, result.why));
    if (context.size() > result.model->architecture.max_seq) {
      return reply(refused<report_type>(work_refusal::bad_request));
    }
    auto probs = std::make_shared<std::vector<float>>();
    in_background(
        self, ports,
        [=] {
          *probs = result.model->engine->next_byte_log_probs(context, offset);
          if (last_only) probs->erase(probs->begin(), probs->end() - 256);
        },
        [=] {
          reply(message<report_type>::build([&](auto out) {
            fill(out.initLogProbs(static_cast<unsigned>(probs->size())), *probs);
          }));
        },
        [=](std::string why) { reply(refused<report_type>(work_refusal::failed, why)); });
  });
}

void check_model(worker_pointer self, const scorer_worker_ports& ports,
                 schema::CheckModel::Reader request,
                 std::function<void(message<schema::ModelCheck>)> reply) {
  auto verdict = [](model_verdict value, const std::string& why) {
    return message<schema::ModelCheck>::build([&](auto out) {
      out.setVerdict(static_cast<schema::ModelVerdict>(value));
      out.setWhy(bounded_why(why));
    });
  };
  auto entry = entry_of(request.getModel());
  if (!entry) return reply(verdict(model_verdict::malformed, "the entry itself is malformed"));
  const model_architecture wanted{request.getLayers(), request.getDim(), request.getHeads(),
                                  request.getFfn(), request.getMaxSeq()};
  // The check is about the model's own blob and key. A kept engine of the same weights, which
  // another owner may have published, proves nothing about them.
  load_afresh(self, ports, *entry, [=](loading result) {
    if (!result.verdict) return reply(refused<schema::ModelCheck>(result.refusal, result.why));
    if (result.model && result.model->architecture != wanted) {
      return reply(
          verdict(model_verdict::wrong_architecture, "the weights are of another architecture"));
    }
    reply(verdict(*result.verdict, result.why));
  });
}

}  // namespace

scorer_worker_actor::behavior_type scorer_worker(worker_pointer self, scorer_worker_ports ports) {
  name_exceptions(*self);
  return {[=](const message<schema::ScoreRequest>& request) {
            auto promise = self->make_response_promise<message<schema::ScoreReport>>();
            if (self->state.in_flight >= max_worker_window) {
              promise.deliver(refused<schema::ScoreReport>(work_refusal::busy));
            } else {
              begin_score(self, ports, request.root(), answer(self, promise));
            }
            return promise;
          },
          [=](const message<schema::CheckModel>& request) {
            auto promise = self->make_response_promise<message<schema::ModelCheck>>();
            check_model(self, ports, request.root(), answer(self, promise));
            return promise;
          },
          [=](const message<schema::PredictRequest>& request) {
            auto promise = self->make_response_promise<message<schema::PredictReport>>();
            if (self->state.in_flight >= max_worker_window) {
              promise.deliver(refused<schema::PredictReport>(work_refusal::busy));
            } else {
              predict(self, ports, request.root(), answer(self, promise));
            }
            return promise;
          }};
}

}  // namespace soma::scorer
