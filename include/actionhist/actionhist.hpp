// The whole contract. Include this and nothing else.
#pragma once

#include <actionhist/action.hpp>
#include <actionhist/alert.hpp>
#include <actionhist/anomaly.hpp>
#include <actionhist/context.hpp>
#include <actionhist/detection.hpp>
#include <actionhist/effectiveness.hpp>
#include <actionhist/embedding.hpp>
#include <actionhist/error.hpp>
#include <actionhist/history.hpp>
#include <actionhist/json.hpp>
#include <actionhist/learning_store.hpp>
#include <actionhist/metrics.hpp>
#include <actionhist/pattern.hpp>
#include <actionhist/query.hpp>
#include <actionhist/recommendation.hpp>
#include <actionhist/repository.hpp>
#include <actionhist/resource.hpp>
#include <actionhist/retention.hpp>
#include <actionhist/semantic_index.hpp>
#include <actionhist/summary.hpp>
#include <actionhist/time.hpp>
#include <actionhist/verdict.hpp>
#include <actionhist/version.hpp>
