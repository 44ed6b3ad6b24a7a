"""The transfers of a sample of IBM's AMLSim, each with an answer that follows from those before."""
