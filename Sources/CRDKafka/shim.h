#include <librdkafka/rdkafka.h>
// The mock cluster's header uses types of rdkafka.h without including it.
#include <librdkafka/rdkafka_mock.h>
