/* All of base: memory, lists, strings and JSON writing, maps, heaps, logging, time and ids, random numbers. */
#pragma once

#include "base/clock.h"
#include "base/heap.h"
#include "base/hmap.h"
#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/version.h"
#include "base/strb.h"

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
