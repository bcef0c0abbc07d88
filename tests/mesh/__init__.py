"""Traffic through istiod and Envoy, with a stand-in for ModelMesh behind them."""
