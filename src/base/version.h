#pragma once

#define HUAWU_VERSION "0.1.0"
