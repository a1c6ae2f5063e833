/*
 * The simulated telephone network: a process of its own that speaks real SIP and RTP (libre's client side, nothing of sip/ or
 * media/) with a Huawu, or with any other SIP system.
 *
 *   callers   dial in through a trunk at a Poisson rate, wait, give up after a patience, talk, press keys, hang up
 *   carrier   answers what is dialled out through the same trunk: rings, is busy, does not answer, by the number's end, or as the
 *             people of a city do (sim/city.h), with tunes and announcements in early media
 *   phones    colleagues: register, answer after a while, talk, hang up sometimes, sometimes let it ring; may dial out
 */
#pragma once

/** `huawu sim net ...`; argv[0] is the command's name. Prints a JSON summary to stdout. Answers the exit code. */
int sim_net_main(int argc, char **argv);
